#include "arena.h"

#include <stdlib.h>
#include <time.h>

#include "include/chtml.h"

enum { CHUNK = 64 * 1024, CLOCK_EVERY = 512 };

struct arena_chunk {
    arena_chunk *next;
    size_t size;
};

// Before each block, which keeps the 16 bytes that any type may want.
typedef struct {
    uint64_t class;
    uint64_t unused;
} block_head;

static uint64_t processor_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void arena_init(arena *memory, size_t limit, uint32_t milliseconds) {
    *memory = (arena){.limit = limit, .countdown = CLOCK_EVERY};
    memory->deadline = processor_time() + (uint64_t)milliseconds * 1000000u;
}

static void *bump(arena *memory, size_t size) {
    if (size > memory->left) {
        size_t wanted = sizeof(arena_chunk) + size;
        if (wanted < CHUNK) wanted = CHUNK;
        if (wanted > memory->limit - memory->taken) longjmp(memory->out, CHTML_NO_MEMORY);
        arena_chunk *chunk = malloc(wanted);
        if (chunk == NULL) longjmp(memory->out, CHTML_NO_MEMORY);
        chunk->next = memory->chunks;
        chunk->size = wanted;
        memory->chunks = chunk;
        memory->taken += wanted;
        memory->next = (char *)(chunk + 1);
        memory->left = wanted - sizeof(arena_chunk);
    }
    void *block = memory->next;
    memory->next += size;
    memory->left -= size;
    return block;
}

void *arena_allocate(void *opaque, size_t size) {
    arena *memory = opaque;
    if (--memory->countdown == 0) {
        memory->countdown = CLOCK_EVERY;
        if (processor_time() > memory->deadline) longjmp(memory->out, CHTML_TOO_SLOW);
    }
    if (size > memory->limit) longjmp(memory->out, CHTML_NO_MEMORY);
    uint64_t class = 4;
    while (((size_t)1 << class) < size) class += 1;
    block_head *head = memory->free[class];
    if (head != NULL) {
        memory->free[class] = *(void **)(head + 1);
    } else {
        head = bump(memory, sizeof(block_head) + ((size_t)1 << class));
        head->class = class;
    }
    return head + 1;
}

void arena_release(void *opaque, void *block) {
    arena *memory = opaque;
    if (block == NULL) return;
    block_head *head = (block_head *)block - 1;
    *(void **)block = memory->free[head->class];
    memory->free[head->class] = head;
}

void arena_free(arena *memory) {
    for (arena_chunk *chunk = memory->chunks; chunk != NULL;) {
        arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    memory->chunks = NULL;
}

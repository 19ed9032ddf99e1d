#ifndef TIDINGS_ARENA_H
#define TIDINGS_ARENA_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

// Memory that is given back all at once. libgumbo neither checks what its allocator returns nor frees a deep tree without
// deep recursion; so it gets its memory here, and when there is no more (or no more time) the parse is left by longjmp:
// everything it had is in the arena, nothing leaks and nothing has to be undone.

typedef struct arena_chunk arena_chunk;

typedef struct {
    arena_chunk *chunks;
    char *next;
    size_t left;
    size_t taken;
    size_t limit;
    uint64_t deadline;   // of the thread's processor time, in nanoseconds
    uint32_t countdown;  // allocations until the clock is looked at
    void *free[40];      // by power of two
    jmp_buf out;
} arena;

void arena_init(arena *memory, size_t limit, uint32_t milliseconds);
void *arena_allocate(void *memory, size_t size);
void arena_release(void *memory, void *block);
void arena_free(arena *memory);

#endif

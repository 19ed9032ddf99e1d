#define _GNU_SOURCE
#include "shared.h"
#include "fanout_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t fanout_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void fanout_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t *fanout_progress_map(const char *file) {
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return NULL;
    void *map = MAP_FAILED;
    if (ftruncate(fd, 4096) == 0) map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

const volatile uint64_t *fanout_progress_open(const char *file) { return fanout_progress_map(file); }

uint64_t fanout_progress_read(const volatile uint64_t *progress) {
    return __atomic_load_n(progress, __ATOMIC_ACQUIRE);
}

int64_t fanout_cpu_nanoseconds(int pid) {
#ifdef __linux__
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return -1;
    return (int64_t)used.tv_sec * 1000000000ll + used.tv_nsec;
#else
    (void)pid;
    return -1;
#endif
}

void fanout_orders_open(void) {
    int flags = fcntl(0, F_GETFL);
    if (flags >= 0) fcntl(0, F_SETFL, flags | O_NONBLOCK);
}

int fanout_orders_next(fanout_orders *orders, char line[256]) {
    for (;;) {
        char *end = memchr(orders->text, '\n', (size_t)orders->length);
        if (end) {
            int length = (int)(end - orders->text);
            memcpy(line, orders->text, (size_t)length);
            line[length] = 0;
            orders->length -= length + 1;
            memmove(orders->text, end + 1, (size_t)orders->length);
            return 1;
        }
        if (orders->length == sizeof orders->text) return -1;
        ssize_t count = read(0, orders->text + orders->length, sizeof orders->text - (size_t)orders->length);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        if (count <= 0) return -1;
        orders->length += (int)count;
    }
}

int fanout_order_wait(int64_t nanoseconds, char line[256]) {
#ifdef __linux__
    static fanout_orders orders;
    static int is_open;
    if (!is_open) fanout_orders_open();
    is_open = 1;
    int result = fanout_orders_next(&orders, line);
    if (result != 0 || nanoseconds <= 0) return result;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    ppoll(&input, 1, &time, NULL);
    return fanout_orders_next(&orders, line);
#else
    (void)nanoseconds;
    (void)line;
    return -1;
#endif
}

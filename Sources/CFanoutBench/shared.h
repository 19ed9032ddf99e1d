#ifndef FANOUT_SHARED_H
#define FANOUT_SHARED_H

#include <stdint.h>

uint64_t fanout_now(void);
void fanout_raise_file_limit(void);
uint64_t *fanout_progress_map(const char *file);

/// Lines on standard input, read without blocking.
typedef struct {
    char text[256];
    int length;
} fanout_orders;

/// Puts the next whole line into `line`; 1 for a line, 0 when there is none yet, -1 at the end of input.
int fanout_orders_next(fanout_orders *orders, char line[256]);
void fanout_orders_open(void);

#endif

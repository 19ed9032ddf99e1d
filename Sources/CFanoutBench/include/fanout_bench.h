#ifndef FANOUT_BENCH_H
#define FANOUT_BENCH_H

#include <stddef.h>
#include <stdint.h>

// The two other ends of `tidings bench fanout`, in C so that what is measured beside the gateway is the kernel and not
// a language: the bare-socket server, and the clients that read from either. Each runs as a process of its own, takes
// its orders as lines on standard input and ends with it. Linux only (epoll); elsewhere they return -1 with ENOTSUP.

/// A server that knows no protocol beyond the handshake: one frame made beforehand, one `send` per client and turn.
///
/// Prints `listening PORT`. Orders: `paced RATE` (so many turns a second of one frame), `burst FRAMES WINDOW` (turns of
/// so many frames, as long as fewer than WINDOW frames are under way), `stop` (answered by `stopped FRAMES_PER_CLIENT`).
typedef struct {
    /// A whole WebSocket frame.
    const uint8_t *frame;
    size_t frame_length;
    /// Where the 19 digits of the sending time stand in it (monotonic nanoseconds, and 10^18 so that there are always as
    /// many); negative when it has none.
    ptrdiff_t stamp_offset;
    /// The file that the clients count their frames in.
    const char *progress_file;
} fanout_sockets_config;

int fanout_sockets_run(const fanout_sockets_config *config);

/// Clients that subscribe and count. Prints `ready` once every client has had an answer to its subscription.
///
/// Orders: `count` (answered by `count FRAMES NANOSECONDS GAPS CLOSED`: everything so far), `latency` (answered by
/// `latency SAMPLES P50 P99 MAX` in nanoseconds, of what came since the last time).
typedef struct {
    uint16_t port;
    int clients;
    /// What each client sends after the handshake, in turn.
    const char *const *subscriptions;
    int subscription_count;
    /// Whether frames carry `"sent_ns":` and the 19 digits.
    int stamped;
    const char *progress_file;
} fanout_clients_config;

int fanout_clients_run(const fanout_clients_config *config);

#define FANOUT_STAMP_BASE 1000000000000000000ull

/// Waits so long for the next order and puts it into `line`: 1 for an order, 0 for none, -1 when there will be no more.
int fanout_order_wait(int64_t nanoseconds, char line[256]);

/// CPU time that a process has used, in nanoseconds; negative when it cannot be told.
int64_t fanout_cpu_nanoseconds(int pid);

/// The counter in a progress file, for whoever paces himself by it; NULL when the file cannot be mapped.
const volatile uint64_t *fanout_progress_open(const char *file);
uint64_t fanout_progress_read(const volatile uint64_t *progress);

#endif

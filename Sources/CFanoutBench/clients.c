#define _GNU_SOURCE
#include "fanout_bench.h"
#include "shared.h"

#include <errno.h>

#ifdef __linux__

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/// No frame of the bench is longer than a kept remainder may be.
enum { REMAINDER = 2048, READ = 256 << 10, SAMPLES = 1 << 21 };
#define ORDERS UINT64_MAX

typedef enum { CONNECTING, SHAKING, SUBSCRIBING, LIVE, CLOSED } phase;

typedef struct {
    int fd;
    phase phase;
    int kept;
    /// The beginning of a frame whose rest has not come.
    uint8_t *remainder;
} client;

typedef struct {
    const fanout_clients_config *config;
    int epoll;
    client *clients;
    /// How many have been started, are between that and their answer, and have had it.
    int started, pending, live, closed;
    uint64_t frames, gaps;
    uint64_t *progress;
    /// Latencies in nanoseconds since the last `latency`.
    uint32_t *samples;
    size_t sample_count;
    int has_failed;
    uint8_t buffer[REMAINDER + READ];
} crowd;

static void fail(crowd *crowd, const char *what) {
    fprintf(stderr, "fan-out clients: %s (%s)\n", what, strerror(errno));
    crowd->has_failed = 1;
}

static void start_one(crowd *crowd) {
    int one = 1, index = crowd->started;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(crowd, "socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(crowd->config->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
        close(fd);
        return fail(crowd, "connect");
    }
    crowd->clients[index] = (client){.fd = fd, .phase = CONNECTING};
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = (uint64_t)index};
    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &event);
    crowd->started += 1;
    crowd->pending += 1;
}

static void end_one(crowd *crowd, client *client) {
    if (client->phase == CLOSED) return;
    if (client->phase != LIVE) fail(crowd, "a client was refused");
    client->phase = CLOSED;
    close(client->fd);
    crowd->closed += 1;
}

/// A masked frame. The key is zero: it protects proxies from scripts, and there are neither here.
static void send_frame(client *client, uint8_t opcode, const uint8_t *payload, size_t length) {
    uint8_t frame[REMAINDER] = {(uint8_t)(0x80 | opcode)};
    size_t at = 2;
    if (length > sizeof frame - 8) return;
    frame[1] = 0x80 | (length < 126 ? (uint8_t)length : 126);
    if (length >= 126) {
        frame[at++] = (uint8_t)(length >> 8);
        frame[at++] = (uint8_t)length;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, payload, length);
    send(client->fd, frame, at + 4 + length, MSG_NOSIGNAL);
}

static void connected(crowd *crowd, client *client, int index) {
    static const char request[] =
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        errno = error;
        return end_one(crowd, client);
    }
    client->phase = SHAKING;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)index};
    epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, client->fd, &event);
    send(client->fd, request, sizeof request - 1, MSG_NOSIGNAL);
}

static void took_text(crowd *crowd, client *client, const uint8_t *text, size_t length, uint64_t now) {
    if (client->phase == SUBSCRIBING) {
        client->phase = LIVE;
        crowd->pending -= 1;
        crowd->live += 1;
        return;
    }
    // `{"type":"` and then `event` or `gap`.
    if (length > 9 && text[9] == 'g') {
        crowd->gaps += 1;
        return;
    }
    crowd->frames += 1;
    if (!crowd->config->stamped || crowd->sample_count >= SAMPLES) return;
    static const char name[] = "\"sent_ns\":";
    const uint8_t *found = memmem(text, length, name, sizeof name - 1);
    if (!found) return;
    uint64_t sent = 0;
    for (const uint8_t *digit = found + sizeof name - 1; *digit >= '0' && *digit <= '9'; digit++) {
        sent = sent * 10 + (uint64_t)(*digit - '0');
    }
    sent -= FANOUT_STAMP_BASE;
    uint64_t late = now > sent ? now - sent : 0;
    crowd->samples[crowd->sample_count++] = late > UINT32_MAX ? UINT32_MAX : (uint32_t)late;
}

/// Reads what has come, as whole frames.
static void read_from(crowd *crowd, client *client, int index) {
    uint8_t *start = crowd->buffer + REMAINDER - client->kept;
    if (client->kept > 0) memcpy(start, client->remainder, (size_t)client->kept);
    ssize_t count = recv(client->fd, crowd->buffer + REMAINDER, READ, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end_one(crowd, client);
    uint64_t now = crowd->config->stamped ? fanout_now() : 0;
    const uint8_t *at = start, *end = crowd->buffer + REMAINDER + count;
    if (client->phase == SHAKING) {
        const uint8_t *head = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (head) {
            if (memcmp(at, "HTTP/1.1 101", 12) != 0) return end_one(crowd, client);
            at = head + 4;
            client->phase = SUBSCRIBING;
            const char *text = crowd->config->subscriptions[index % crowd->config->subscription_count];
            send_frame(client, 1, (const uint8_t *)text, strlen(text));
        }
    }
    while (client->phase >= SUBSCRIBING && end - at >= 2) {
        size_t header = 2, length = at[1] & 0x7f;
        if (length == 126) {
            header = 4;
            if (end - at < 4) break;
            length = (size_t)at[2] << 8 | at[3];
        } else if (length == 127) {
            return fail(crowd, "a frame is too long");
        }
        if ((size_t)(end - at) < header + length) break;
        uint8_t opcode = at[0] & 0x0f;
        if (opcode == 1) {
            took_text(crowd, client, at + header, length, now);
        } else if (opcode == 9) {
            send_frame(client, 10, at + header, length);
        } else if (opcode == 8) {
            return end_one(crowd, client);
        }
        at += header + length;
    }
    client->kept = (int)(end - at);
    if (client->kept == 0) return;
    if (client->kept > REMAINDER) return fail(crowd, "a frame is too long");
    if (!client->remainder) client->remainder = malloc(REMAINDER);
    if (!client->remainder) return fail(crowd, "memory");
    memcpy(client->remainder, at, (size_t)client->kept);
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void obey(crowd *crowd, const char *line) {
    if (strcmp(line, "count") == 0) {
        printf(
            "count %llu %llu %llu %d\n", (unsigned long long)crowd->frames, (unsigned long long)fanout_now(),
            (unsigned long long)crowd->gaps, crowd->closed);
    } else if (strcmp(line, "latency") == 0) {
        size_t count = crowd->sample_count;
        qsort(crowd->samples, count, sizeof *crowd->samples, ascending);
        printf(
            "latency %zu %u %u %u\n", count, count ? crowd->samples[count / 2] : 0,
            count ? crowd->samples[count - 1 - count / 100] : 0, count ? crowd->samples[count - 1] : 0);
        crowd->sample_count = 0;
    }
    fflush(stdout);
}

static int attend(crowd *crowd) {
    struct epoll_event events[1024];
    fanout_orders orders = {.length = 0};
    char line[256];
    int is_ready = 0;
    while (!crowd->has_failed) {
        while (crowd->started < crowd->config->clients && crowd->pending < 64 && !crowd->has_failed) start_one(crowd);
        if (!is_ready && crowd->live == crowd->config->clients) {
            is_ready = 1;
            printf("ready\n");
            fflush(stdout);
        }
        int count = epoll_wait(crowd->epoll, events, 1024, -1);
        for (int number = 0; number < count; number++) {
            if (events[number].data.u64 == ORDERS) {
                int result;
                while ((result = fanout_orders_next(&orders, line)) == 1) obey(crowd, line);
                if (result < 0) return 0;
                continue;
            }
            int index = (int)events[number].data.u64;
            client *client = &crowd->clients[index];
            if (client->phase == CONNECTING) {
                connected(crowd, client, index);
            } else if (client->phase != CLOSED) {
                read_from(crowd, client, index);
                __atomic_store_n(crowd->progress, crowd->frames, __ATOMIC_RELEASE);
            }
        }
    }
    return -1;
}

int fanout_clients_run(const fanout_clients_config *config) {
    fanout_raise_file_limit();
    crowd *crowd = calloc(1, sizeof *crowd);
    if (!crowd) return -1;
    crowd->config = config;
    crowd->progress = fanout_progress_map(config->progress_file);
    crowd->clients = calloc((size_t)config->clients, sizeof(client));
    crowd->samples = config->stamped ? malloc(SAMPLES * sizeof(uint32_t)) : NULL;
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!crowd->progress || !crowd->clients || (config->stamped && !crowd->samples)) return -1;
    fanout_orders_open();
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = ORDERS};
    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, 0, &event);
    return attend(crowd);
}

#else

int fanout_clients_run(const fanout_clients_config *config) {
    (void)config;
    errno = ENOTSUP;
    return -1;
}

#endif

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
#include <sys/timerfd.h>
#include <unistd.h>

enum { LISTENER = 0, ORDERS = 1, TIMER = 2, FIRST_CLIENT = 3 };

typedef struct {
    int fd;
    int is_open;
    int is_subscribed;
    /// What the socket did not take.
    uint8_t *rest;
    size_t rest_length;
} client;

typedef struct {
    const fanout_sockets_config *config;
    int epoll, listener, timer;
    client *clients;
    int count, room, subscribed;
    uint8_t *frame;
    uint8_t *joined;
    int burst;
    uint64_t window, base, turns;
    const volatile uint64_t *progress;
} server;

static const char handshake[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char answer[] = "\x81\x0e{\"type\":\"ack\"}";

static void watch(server *server, int index, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(FIRST_CLIENT + index)};
    epoll_ctl(server->epoll, operation, server->clients[index].fd, &event);
}

/// One write; what does not fit waits for the socket.
static void send_to(server *server, int index, const uint8_t *bytes, size_t length) {
    client *client = &server->clients[index];
    size_t sent = 0;
    if (client->rest_length == 0) {
        ssize_t count = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (count > 0) sent = (size_t)count;
        if (sent == length) return;
        watch(server, index, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
    uint8_t *rest = realloc(client->rest, client->rest_length + length - sent);
    if (!rest) return;
    memcpy(rest + client->rest_length, bytes + sent, length - sent);
    client->rest = rest;
    client->rest_length += length - sent;
}

static void send_rest(server *server, int index) {
    client *client = &server->clients[index];
    ssize_t count = send(client->fd, client->rest, client->rest_length, MSG_NOSIGNAL);
    if (count <= 0) return;
    client->rest_length -= (size_t)count;
    memmove(client->rest, client->rest + count, client->rest_length);
    if (client->rest_length == 0) watch(server, index, EPOLLIN, EPOLL_CTL_MOD);
}

static void accept_all(server *server) {
    int one = 1;
    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (server->count == server->room) {
            server->room = server->room ? server->room * 2 : 1024;
            server->clients = realloc(server->clients, (size_t)server->room * sizeof(client));
            if (!server->clients) abort();
        }
        server->clients[server->count] = (client){.fd = fd};
        watch(server, server->count, EPOLLIN, EPOLL_CTL_ADD);
        server->count += 1;
    }
}

static void read_from(server *server, int index) {
    client *client = &server->clients[index];
    char bytes[8192];
    ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        close(client->fd);
        if (client->is_subscribed) server->subscribed -= 1;
        client->fd = -1;
        client->is_subscribed = 0;
    } else if (!client->is_open) {
        // The clients send their request in one piece.
        client->is_open = 1;
        send_to(server, index, (const uint8_t *)handshake, sizeof handshake - 1);
    } else if (!client->is_subscribed) {
        client->is_subscribed = 1;
        server->subscribed += 1;
        send_to(server, index, (const uint8_t *)answer, sizeof answer - 1);
    }
}

static void stamp(server *server) {
    if (server->config->stamp_offset < 0) return;
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)(FANOUT_STAMP_BASE + fanout_now()));
    memcpy(server->frame + server->config->stamp_offset, digits, 19);
}

static void turn(server *server, const uint8_t *bytes, size_t length) {
    for (int index = 0; index < server->count; index++) {
        if (server->clients[index].is_subscribed) send_to(server, index, bytes, length);
    }
    server->turns += 1;
}

/// Returns 0 when it is time to end.
static int obey(server *server, const char *line) {
    double rate;
    unsigned long long window;
    int burst;
    if (sscanf(line, "paced %lf", &rate) == 1) {
        server->turns = 0;
        server->burst = 0;
        long long interval = (long long)(1e9 / rate);
        struct itimerspec time = {
            .it_interval = {interval / 1000000000, interval % 1000000000},
            .it_value = {interval / 1000000000, interval % 1000000000}};
        timerfd_settime(server->timer, 0, &time, NULL);
    } else if (sscanf(line, "burst %d %llu", &burst, &window) == 2 && burst > 0) {
        server->turns = 0;
        server->burst = burst;
        server->window = window;
        server->base = fanout_progress_read(server->progress);
        server->joined = realloc(server->joined, server->config->frame_length * (size_t)burst);
        if (!server->joined) return 0;
        for (int index = 0; index < burst; index++) {
            memcpy(
                server->joined + (size_t)index * server->config->frame_length, server->frame,
                server->config->frame_length);
        }
    } else if (strcmp(line, "stop") == 0) {
        struct itimerspec never = {0};
        timerfd_settime(server->timer, 0, &never, NULL);
        printf("stopped %llu\n", (unsigned long long)(server->turns * (uint64_t)(server->burst ? server->burst : 1)));
        fflush(stdout);
        server->burst = 0;
    }
    return 1;
}

static int may_burst(server *server) {
    if (server->burst == 0) return 0;
    uint64_t sent = server->turns * (uint64_t)server->burst * (uint64_t)server->subscribed;
    return sent - (fanout_progress_read(server->progress) - server->base) < server->window;
}

static int serve(server *server) {
    struct epoll_event events[1024];
    fanout_orders orders = {.length = 0};
    char line[256];
    for (;;) {
        int timeout = server->burst == 0 ? -1 : may_burst(server) ? 0 : 1;
        int count = epoll_wait(server->epoll, events, 1024, timeout);
        for (int number = 0; number < count; number++) {
            uint64_t place = events[number].data.u64;
            if (place == LISTENER) {
                accept_all(server);
            } else if (place == ORDERS) {
                int result;
                while ((result = fanout_orders_next(&orders, line)) == 1) {
                    if (!obey(server, line)) return -1;
                }
                if (result < 0) return 0;
            } else if (place == TIMER) {
                uint64_t due = 0;
                if (read(server->timer, &due, sizeof due) != sizeof due) continue;
                for (; due > 0; due--) {
                    stamp(server);
                    turn(server, server->frame, server->config->frame_length);
                }
            } else {
                int index = (int)(place - FIRST_CLIENT);
                if (server->clients[index].fd < 0) continue;
                if (events[number].events & EPOLLOUT) send_rest(server, index);
                if (events[number].events & ~(uint32_t)EPOLLOUT) read_from(server, index);
            }
        }
        if (may_burst(server)) {
            turn(server, server->joined, server->config->frame_length * (size_t)server->burst);
        }
    }
}

int fanout_sockets_run(const fanout_sockets_config *config) {
    fanout_raise_file_limit();
    server server = {.config = config, .progress = fanout_progress_open(config->progress_file)};
    server.frame = malloc(config->frame_length);
    if (!server.frame || !server.progress) return -1;
    memcpy(server.frame, config->frame, config->frame_length);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    server.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    if (listen(server.listener, 4096) != 0) return -1;
    getsockname(server.listener, (struct sockaddr *)&address, &length);
    fanout_orders_open();
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = LISTENER};
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &event);
    event.data.u64 = ORDERS;
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, 0, &event);
    event.data.u64 = TIMER;
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.timer, &event);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return serve(&server);
}

#else

int fanout_sockets_run(const fanout_sockets_config *config) {
    (void)config;
    errno = ENOTSUP;
    return -1;
}

#endif

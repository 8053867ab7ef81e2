/* wxload: send a file of ready-made HTTP/1.1 requests over keep-alive connections, each once.
 *
 *   wxload -f requests.bin -p 8000 -c 64 -t 2.0 -s samples.bin
 *
 * File: repeated [u32 little endian: length][raw request]. One thread, epoll, closed loop: each
 * connection sends its next request when the reply to its last one is complete (Content-Length).
 * The clock starts once every connection has had one reply: a server accepts connections at its
 * own pace, which would otherwise be measured instead of the work.
 * Samples: [u32 index][u32 status][u32 length][body] of every 23rd reply, at most 200.
 * Prints one JSON object. Bounded by -t seconds and by the file; loopback only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_BYTES = 65536, EVENTS = 512, SAMPLE_EVERY = 23, MOST_SAMPLES = 200 };
static const uint64_t SECOND = 1000000000ull, RAMP_SECONDS = 5, TAIL_SECONDS = 3;

struct request { const char *bytes; uint32_t length; };

struct connection {
    int fd, status, closing;
    int waiting;              /* a request is out and its reply is not complete */
    int answered;             /* has had its first reply */
    uint32_t request;
    uint64_t sent_at;
    size_t sent, received, header;
    long body;                /* Content-Length; -1 until it is known */
    char reply[REPLY_BYTES];
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static struct request *requests;
static uint32_t request_count, next_request;
static int epoll_fd, ramping = 1;
static uint64_t deadline, waiting, done, ramped, non200, errors, reconnects, sampled;
static uint64_t *latencies;
static FILE *samples;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void disconnect(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static int reconnect(struct connection *c)
{
    int on = 1;
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (void *)&server, sizeof server) && errno != EINPROGRESS) {
        disconnect(c);
        return -1;
    }
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &interest);
}

static void send_rest(struct connection *c)
{
    const struct request *r = &requests[c->request];
    while (c->sent < r->length) {
        ssize_t n = send(c->fd, r->bytes + c->sent, r->length - c->sent, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        c->sent += n;
    }
}

static void begin(struct connection *c)
{
    if ((ramping && c->answered) || next_request == request_count || now() >= deadline)
        return;
    c->request = next_request++;
    c->sent = c->received = c->header = 0;
    c->closing = 0;
    c->body = -1;
    c->sent_at = now();
    if (c->fd < 0 && reconnect(c)) {
        errors++;
        return;
    }
    c->waiting = 1;
    waiting++;
    send_rest(c);
}

static void fail(struct connection *c)
{
    if (c->waiting) {
        c->waiting = 0;
        waiting--;
        errors++;
    }
    reconnects++;
    disconnect(c);
    begin(c);
}

static void keep_sample(const struct connection *c)
{
    uint32_t head[3] = {c->request, (uint32_t)c->status, (uint32_t)c->body};
    fwrite(head, sizeof *head, 3, samples);
    fwrite(c->reply + c->header, 1, c->body, samples);
    sampled++;
}

static void finish(struct connection *c)
{
    c->waiting = 0;
    waiting--;
    c->answered = 1;
    non200 += c->status != 200;
    if (ramping) {
        ramped++;
    } else {
        latencies[done++] = now() - c->sent_at;
        if (done % SAMPLE_EVERY == 0 && sampled < MOST_SAMPLES)
            keep_sample(c);
    }
    if (c->closing) {
        disconnect(c);
        reconnects++;
    }
    begin(c);
}

static void read_header(struct connection *c)
{
    char *found, *end = strstr(c->reply, "\r\n\r\n");
    if (!end)
        return;
    *end = 0;
    c->header = end - c->reply + 4;
    c->status = atoi(c->reply + 9);
    if ((found = strcasestr(c->reply, "\r\ncontent-length:")))
        c->body = atol(found + 17);
    c->closing = strcasestr(c->reply, "\r\nconnection: close") != NULL;
}

static void receive(struct connection *c)
{
    while (c->fd >= 0) {
        ssize_t n = recv(c->fd, c->reply + c->received, REPLY_BYTES - 1 - c->received, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || !c->waiting) { /* closed, too large, or an answer nobody asked for */
            fail(c);
            return;
        }
        c->received += n;
        c->reply[c->received] = 0;
        if (!c->header)
            read_header(c);
        if (c->header && c->body < 0) {
            fail(c);
            return;
        }
        if (c->header && c->received - c->header >= (size_t)c->body)
            finish(c);
    }
}

static int load(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &info))
        return -1;
    char *data = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED)
        return -1;
    uint32_t length, room = 0;
    for (off_t at = 0; at + 4 <= info.st_size; at += 4 + length) {
        memcpy(&length, data + at, 4);
        if (request_count == room)
            requests = realloc(requests, (room = room ? room * 2 : 1024) * sizeof *requests);
        requests[request_count++] = (struct request){data + at + 4, length};
    }
    latencies = malloc(request_count * sizeof *latencies);
    return request_count ? 0 : -1;
}

static uint64_t run(struct connection *connections, int count, double seconds)
{
    struct epoll_event events[EVENTS];
    uint64_t began = 0, limit = now() + RAMP_SECONDS * SECOND;
    deadline = limit;
    for (int i = 0; i < count; i++)
        begin(&connections[i]);
    for (;;) {
        if (ramping && (!waiting || now() >= limit)) {
            ramping = 0;
            began = now();
            deadline = began + (uint64_t)(seconds * SECOND);
            limit = deadline + TAIL_SECONDS * SECOND;
            for (int i = 0; i < count; i++)
                if (!connections[i].waiting)
                    begin(&connections[i]);
        }
        if (!waiting || now() >= limit)
            return now() - began;
        int ready = epoll_wait(epoll_fd, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->fd >= 0 && c->waiting && events[i].events & EPOLLOUT)
                send_rest(c);
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                receive(c);
        }
    }
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double quantile_ms(double q)
{
    return done ? latencies[(size_t)((done - 1) * q)] / 1e6 : 0;
}

static void report(double seconds)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    qsort(latencies, done, sizeof *latencies, ascending);
    printf("{\"requests\":%lu,\"seconds\":%.4f,\"per_second\":%.1f,", done, seconds, done / seconds);
    printf("\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,", quantile_ms(.5), quantile_ms(.99),
           quantile_ms(1));
    printf("\"ramp_requests\":%lu,\"non200\":%lu,\"errors\":%lu,\"reconnects\":%lu,", ramped, non200,
           errors, reconnects);
    printf("\"unfinished\":%lu,\"ran_out\":%s,\"client_cpu_s\":%.3f}\n", waiting,
           next_request == request_count ? "true" : "false",
           used.ru_utime.tv_sec + used.ru_stime.tv_sec
               + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

int main(int argc, char **argv)
{
    const char *file = NULL, *sample_file = NULL;
    int option, port = 0, count = 0;
    double seconds = 0;
    while ((option = getopt(argc, argv, "f:p:c:t:s:")) != -1)
        switch (option) {
        case 'f': file = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'c': count = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 's': sample_file = optarg; break;
        default: return 2;
        }
    if (!file || !sample_file || port < 1 || count < 1 || count > 4096 || seconds <= 0 || seconds > 600) {
        fprintf(stderr, "usage: wxload -f requests -p port -c connections -t seconds -s samples\n");
        return 2;
    }
    samples = fopen(sample_file, "wb");
    if (!samples || load(file)) {
        perror("wxload");
        return 2;
    }
    server.sin_port = htons(port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    epoll_fd = epoll_create1(0);
    struct connection *connections = calloc(count, sizeof *connections);
    for (int i = 0; i < count; i++)
        connections[i].fd = -1;
    uint64_t took = run(connections, count, seconds);
    fclose(samples);
    report(took / 1e9);
    return 0;
}

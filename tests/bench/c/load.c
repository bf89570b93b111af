/* The load generator of tests/bench: a thread a connection, every answer checked. Prints one line of JSON.
 *
 *   load --connect 127.0.0.1:8080 [--tunnel] --origin api.example.com:443 [--ca FILE] [--http2] [--close]
 *        --path /v1/... [--header 'name: value']... --body FILE [--expect FILE]
 *        [--cases N] [--first N] --connections N (--seconds S [--warmup S] | --requests N)
 *        [--stream [--warm-body FILE] [--stagger US] [--relative]]
 *
 * Eight @ in the body and in the expected answer stand for the number of the case, from --first to --first + --cases;
 * the cases are asked in turn. A NUL byte of the expected answer fits any byte. With --ca the origin speaks TLS. With
 * --close every request has a connection of its own, which its latency then includes.
 *
 * With --stream, each connection asks once. Its chunks hold "content":"t<18 digits>": the nanosecond at which the chunk
 * was sent, or with --relative, at which it is due after the request. Connections start --stagger microseconds apart.
 */
#include "load.h"

#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MARK "@@@@@@@@"
#define STAMP "\"content\":\"t"
enum { MARK_SIZE = 8, STAMP_SIZE = 12, DIGITS = 18 };

struct text {
    char *data;
    size_t size;
};

struct list {
    uint64_t *at;
    size_t size, room;
};

struct client {
    pthread_t thread;
    struct link link;
    struct exchange exchange;
    struct text body, expected;
    char *seen; /* of a stream: its body so far */
    size_t taken, scanned;
    int index, wrong;
    uint64_t errors, last_stamp;
    const char *error;
    struct list latency, first_byte, delay, gap;
};

static struct target target;
static struct text body, warm_body, expected;
static char head[4096], *headers[16];
static const char *path;
static int header_count, closing, stream, relative, connections = 1;
static unsigned cases = 1, first;
static uint64_t requests, stagger;
static double seconds, warmup;
static uint64_t begin, end;
static pthread_barrier_t barrier;
static atomic_uint_fast64_t ticket, finished;

static void die(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(2);
}

static struct text read_file(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file) die(name);
    struct text text = {NULL, 0};
    fseek(file, 0, SEEK_END);
    text.size = (size_t)ftell(file);
    rewind(file);
    text.data = calloc(1, text.size + 1);
    if (fread(text.data, 1, text.size, file) != text.size) die(name);
    fclose(file);
    return text;
}

static struct text copy(struct text text) {
    struct text made = {memcpy(malloc(text.size + 1), text.data ? text.data : "", text.size), text.size};
    return made;
}

/* Put the case's number wherever the template has the mark. */
static void number(struct text made, struct text template, unsigned value) {
    char digits[16];
    snprintf(digits, sizeof digits, "%08u", value);
    char *found = template.data;
    while (found && (found = memmem(found, template.size - (size_t)(found - template.data), MARK, MARK_SIZE))) {
        memcpy(made.data + (found - template.data), digits, MARK_SIZE);
        found += MARK_SIZE;
    }
}

static void add(struct list *list, uint64_t value) {
    if (list->size == list->room) {
        list->room = list->room ? list->room * 2 : 1024;
        list->at = realloc(list->at, list->room * sizeof *list->at);
    }
    list->at[list->size++] = value;
}

static void check(void *self, const char *data, size_t size, uint64_t at) {
    (void)at;
    struct client *client = self;
    size_t from = client->taken;
    client->taken += size;
    if (!expected.data) return;
    if (client->taken > expected.size) {
        client->wrong = 1;
        return;
    }
    const char *due = client->expected.data + from;
    if (!memcmp(due, data, size)) return;
    for (size_t i = 0; i < size; i++) client->wrong |= due[i] && due[i] != data[i];
}

static void scan(void *self, const char *data, size_t size, uint64_t at) {
    struct client *client = self;
    client->seen = realloc(client->seen, client->taken + size + 1);
    memcpy(client->seen + client->taken, data, size);
    client->taken += size;
    for (;;) {
        char *from = client->seen + client->scanned, *to = client->seen + client->taken;
        char *found = memmem(from, (size_t)(to - from), STAMP, STAMP_SIZE);
        if (!found || found + STAMP_SIZE + DIGITS > to) return;
        client->scanned = (size_t)(found - client->seen) + STAMP_SIZE + DIGITS;
        *to = 0;
        uint64_t stamp = strtoull(found + STAMP_SIZE, NULL, 10) + (relative ? client->exchange.sent : 0);
        /* Of a replay a chunk may be early too. */
        add(&client->delay, at > stamp ? at - stamp : stamp - at);
        if (client->last_stamp) add(&client->gap, at - client->last_stamp);
        client->last_stamp = at;
    }
}

static int ask(struct client *client, struct text text) {
    struct link *link = &client->link;
    struct exchange *exchange = &client->exchange;
    if (link->fd < 0 && link_open(link, &target)) return -1;
    exchange->body = text.data;
    exchange->size = text.size;
    client->taken = client->scanned = 0;
    client->wrong = 0;
    if ((target.http2 ? http2 : http1)(link, exchange)) return -1;
    if (exchange->status != 200) return link_fail(link, "another status than 200");
    if (client->wrong || (expected.data && !stream && client->taken != expected.size))
        return link_fail(link, "another answer than expected");
    if (closing || link->last) link_close(link);
    return 0;
}

/* All connections are open; the clock starts between the two. */
static void start(void) {
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
}

static void failed(struct client *client) {
    client->errors++;
    client->error = client->link.error;
    link_close(&client->link);
}

static void run_stream(struct client *client) {
    client->exchange.take = scan;
    int bad = link_open(&client->link, &target) || (warm_body.data && ask(client, warm_body));
    client->delay.size = client->gap.size = 0;
    client->last_stamp = 0;
    start();
    usleep((useconds_t)(stagger * (uint64_t)client->index));
    if (bad || ask(client, client->body)) {
        failed(client);
        return;
    }
    add(&client->first_byte, client->exchange.first_byte - client->exchange.sent);
    add(&client->latency, now() - client->exchange.sent);
    finished = now();
}

static void run_requests(struct client *client) {
    client->exchange.take = check;
    if (!closing && link_open(&client->link, &target)) failed(client);
    start();
    for (;;) {
        uint64_t turn = ticket++, started = now();
        if (requests ? turn >= requests : started >= end) return;
        number(client->body, body, first + (unsigned)(turn % cases));
        number(client->expected, expected, first + (unsigned)(turn % cases));
        if (ask(client, client->body)) {
            failed(client);
            if (client->errors > 100) return;
            continue;
        }
        uint64_t ended = now();
        if (!requests && (started < begin || ended > end)) continue;
        add(&client->latency, ended - (closing ? started : client->exchange.sent));
        add(&client->first_byte, client->exchange.first_byte - client->exchange.sent);
        if (requests) finished = ended;
    }
}

static void *run(void *self) {
    struct client *client = self;
    client->link.fd = -1;
    client->body = copy(body);
    client->expected = copy(expected);
    client->exchange = (struct exchange){
        .head = head, .path = path, .authority = target.name, .headers = headers, .self = client};
    (stream ? run_stream : run_requests)(client);
    link_close(&client->link);
    return NULL;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Microseconds. */
static void print(const char *name, struct client *clients, size_t offset) {
    struct list all = {0};
    for (int i = 0; i < connections; i++) {
        struct list *list = (struct list *)((char *)&clients[i] + offset);
        for (size_t j = 0; j < list->size; j++) add(&all, list->at[j]);
    }
    if (!all.size) return;
    qsort(all.at, all.size, sizeof *all.at, by_value);
    const double parts[] = {0.5, 0.9, 0.99, 1};
    const char *names[] = {"p50", "p90", "p99", "max"};
    printf(", \"%s\": {\"count\": %zu", name, all.size);
    for (int i = 0; i < 4; i++)
        printf(", \"%s\": %.1f", names[i], (double)all.at[(size_t)((double)(all.size - 1) * parts[i])] / 1000);
    printf("}");
}

static void options(int count, char **values) {
    static struct option known[] = {{"connect", 1, 0, 'c'},   {"tunnel", 0, 0, 't'},      {"origin", 1, 0, 'o'},
                                    {"ca", 1, 0, 'a'},        {"http2", 0, 0, '2'},       {"close", 0, 0, 'x'},
                                    {"path", 1, 0, 'p'},      {"header", 1, 0, 'h'},      {"body", 1, 0, 'b'},
                                    {"expect", 1, 0, 'e'},    {"cases", 1, 0, 'n'},       {"first", 1, 0, 'f'},
                                    {"requests", 1, 0, 'r'},  {"connections", 1, 0, 'j'}, {"seconds", 1, 0, 's'},
                                    {"warmup", 1, 0, 'w'},    {"stream", 0, 0, 'S'},      {"warm-body", 1, 0, 'W'},
                                    {"stagger", 1, 0, 'g'},   {"relative", 0, 0, 'R'},    {0}};
    const char *ca = NULL;
    for (int option; (option = getopt_long(count, values, "", known, NULL)) != -1;) {
        switch (option) {
        case 'c': target.address = optarg; break;
        case 't': target.tunnel = 1; break;
        case 'o': target.origin = optarg; break;
        case 'a': ca = optarg; break;
        case '2': target.http2 = 1; break;
        case 'x': closing = 1; break;
        case 'p': path = optarg; break;
        case 'h': if (header_count < 15) headers[header_count++] = optarg; break;
        case 'b': body = read_file(optarg); break;
        case 'e': expected = read_file(optarg); break;
        case 'n': cases = (unsigned)atol(optarg); break;
        case 'f': first = (unsigned)atol(optarg); break;
        case 'r': requests = (uint64_t)atoll(optarg); break;
        case 'j': connections = atoi(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'S': stream = 1; break;
        case 'W': warm_body = read_file(optarg); break;
        case 'g': stagger = (uint64_t)atoll(optarg); break;
        case 'R': relative = 1; break;
        default: die("see the comment at the top of load.c");
        }
    }
    if (!target.address || !target.origin || !path || !body.data) die("--connect, --origin, --path and --body are needed");
    char *address = strdup(target.address), *colon = strrchr(address, ':');
    *colon = 0;
    target.address = address;
    target.port = colon + 1;
    char *name = strdup(target.origin);
    *strrchr(name, ':') = 0;
    target.name = name;
    if (ca && !(target.tls = client_tls(ca, target.http2))) die("the CA file is not read");
    int size = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: %s\r\n", path, name);
    for (int i = 0; i < header_count; i++)
        size += snprintf(head + size, sizeof head - (size_t)size, "%s\r\n", headers[i]);
}

int main(int count, char **values) {
    options(count, values);
    signal(SIGPIPE, SIG_IGN);
    struct client *clients = calloc((size_t)connections, sizeof *clients);
    pthread_barrier_init(&barrier, NULL, (unsigned)connections + 1);
    for (int i = 0; i < connections; i++) {
        clients[i].index = i;
        pthread_create(&clients[i].thread, NULL, run, &clients[i]);
    }
    uint64_t opening = now();
    pthread_barrier_wait(&barrier);
    uint64_t started = now();
    begin = started + (uint64_t)(warmup * 1e9);
    end = begin + (uint64_t)(seconds * 1e9);
    pthread_barrier_wait(&barrier);
    uint64_t errors = 0, answered = 0;
    const char *error = NULL;
    for (int i = 0; i < connections; i++) {
        pthread_join(clients[i].thread, NULL);
        errors += clients[i].errors;
        answered += clients[i].latency.size;
        if (clients[i].error) error = clients[i].error;
    }
    double took = seconds;
    if (requests || stream) took = finished ? (double)(finished - started) / 1e9 : 0;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"requests\": %" PRIu64 ", \"seconds\": %.4f, \"rate\": %.2f, \"errors\": %" PRIu64, answered, took,
           took > 0 ? (double)answered / took : 0, errors);
    if (error) printf(", \"error\": \"%s\"", error);
    printf(", \"cpu\": %.3f", cpu / ((double)(now() - opening) / 1e9));
    print("latency", clients, offsetof(struct client, latency));
    print("first_byte", clients, offsetof(struct client, first_byte));
    print("delay", clients, offsetof(struct client, delay));
    print("gap", clients, offsetof(struct client, gap));
    printf("}\n");
    return errors || !answered;
}

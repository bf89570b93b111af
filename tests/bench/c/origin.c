/* A provider for tests/bench that streams chunks at a rate: origin CERTIFICATE KEY RATE. Prints its port on 127.0.0.1.
 *
 * It speaks HTTP/1.1 over TLS, keeps connections alive and answers every request with as many chunks as the request
 * says in its member "n", each in a segment of its own and with the nanosecond at which it was sent; the first leaves
 * with the head.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
#define CHUNK                                                                                                         \
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1758920391,"                   \
    "\"model\":\"accounts/fireworks/models/llama-v3p1-8b-instruct\",\"choices\":[{\"index\":0,"                       \
    "\"delta\":{\"content\":\"t%018llu\"},\"finish_reason\":null}]}\n\n"
#define END "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

static SSL_CTX *tls;
static long period; /* nanoseconds */

static int chunk(char *text, size_t room) {
    struct timespec t;
    char event[512];
    clock_gettime(CLOCK_MONOTONIC, &t);
    int size = snprintf(event, sizeof event, CHUNK, (unsigned long long)t.tv_sec * 1000000000u + (unsigned)t.tv_nsec);
    return snprintf(text, room, "%x\r\n%s\r\n", (unsigned)size, event);
}

static int answer(SSL *ssl, long count) {
    char text[1024];
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    int size = snprintf(text, sizeof text, HEAD);
    for (long i = 0; i < count; i++) {
        size += chunk(text + size, sizeof text - (size_t)size);
        if (SSL_write(ssl, text, size) <= 0) return -1;
        size = 0;
        due.tv_nsec += period;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        if (i + 1 < count) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    return SSL_write(ssl, END, sizeof END - 1) > 0 ? 0 : -1;
}

/* Read one request; what it asks for, or -1. */
static long request(SSL *ssl) {
    static const char length[] = "content-length:";
    char in[1 << 15];
    size_t have = 0;
    for (;;) {
        int got = SSL_read(ssl, in + have, (int)(sizeof in - 1 - have));
        if (got <= 0) return -1;
        have += (size_t)got;
        in[have] = 0;
        char *end = strstr(in, "\r\n\r\n"), *found = strcasestr(in, length);
        if (!end || !found || have < (size_t)(end + 4 - in) + strtoul(found + sizeof length - 1, NULL, 10)) continue;
        char *asked = strstr(end, "\"n\":");
        return asked ? atol(asked + 4) : 1;
    }
}

static void *serve(void *socket) {
    int fd = (int)(long)socket;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    SSL *ssl = SSL_new(tls);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        for (long count; (count = request(ssl)) >= 0 && !answer(ssl, count);)
            ;
    SSL_free(ssl);
    close(fd);
    return NULL;
}

int main(int count, char **values) {
    if (count != 4) return 2;
    signal(SIGPIPE, SIG_IGN);
    tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, values[1]) != 1) return 2;
    if (SSL_CTX_use_PrivateKey_file(tls, values[2], SSL_FILETYPE_PEM) != 1) return 2;
    period = (long)(1e9 / atof(values[3]));
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 256)) return 2;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)fd)) pthread_detach(thread);
    }
}

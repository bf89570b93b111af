/* As little as can be between a client and its answer: floor PORT CERTIFICATE KEY ANSWER, on 127.0.0.1.
 *
 * Takes a CONNECT, whatever it is for, opens the TLS inside it and answers every request with the bytes of the file
 * ANSWER, head and all. What a client needs with it, it needs with any proxy.
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
#include <unistd.h>

#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

static SSL_CTX *tls;
static char answer[1 << 20];
static int answer_size;

/* Read one request with a body; -1 at the end. */
static int request(SSL *ssl) {
    static const char length[] = "content-length:";
    char in[1 << 15];
    size_t have = 0;
    for (;;) {
        int got = SSL_read(ssl, in + have, (int)(sizeof in - 1 - have));
        if (got <= 0) return -1;
        have += (size_t)got;
        in[have] = 0;
        char *end = strstr(in, "\r\n\r\n"), *found = strcasestr(in, length);
        if (end && found && have >= (size_t)(end + 4 - in) + strtoul(found + sizeof length - 1, NULL, 10)) return 0;
    }
}

/* Read the CONNECT, to the empty line at its end. */
static int tunnel(int fd) {
    char in[1 << 14];
    size_t have = 0;
    while (have < 4 || memcmp(in + have - 4, "\r\n\r\n", 4)) {
        ssize_t got = read(fd, in + have, sizeof in - have);
        if (got <= 0) return -1;
        have += (size_t)got;
    }
    return write(fd, ESTABLISHED, sizeof ESTABLISHED - 1) > 0 ? 0 : -1;
}

static void *serve(void *socket) {
    int fd = (int)(long)socket;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (!tunnel(fd)) {
        SSL *ssl = SSL_new(tls);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1)
            while (!request(ssl) && SSL_write(ssl, answer, answer_size) > 0)
                ;
        SSL_free(ssl);
    }
    close(fd);
    return NULL;
}

int main(int count, char **values) {
    if (count != 5) return 2;
    signal(SIGPIPE, SIG_IGN);
    tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, values[2]) != 1) return 2;
    if (SSL_CTX_use_PrivateKey_file(tls, values[3], SSL_FILETYPE_PEM) != 1) return 2;
    FILE *file = fopen(values[4], "rb");
    if (!file || (answer_size = (int)fread(answer, 1, sizeof answer, file)) <= 0) return 2;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((unsigned short)atoi(values[1]));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 256)) return 2;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)fd)) pthread_detach(thread);
    }
}

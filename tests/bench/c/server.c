#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *tls;
static void (*served)(int fd);

int server_open(const char *certificate, const char *key, int port) {
    signal(SIGPIPE, SIG_IGN);
    tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1) return -1;
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) return -1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((unsigned short)port);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 256)) return -1;
    return listener;
}

static void *begin(void *socket) {
    int fd = (int)(long)socket;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    served(fd);
    close(fd);
    return NULL;
}

void server_run(int listener, void (*serve)(int fd)) {
    served = serve;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && !pthread_create(&thread, NULL, begin, (void *)(long)fd)) pthread_detach(thread);
    }
}

SSL *server_tls(int fd) {
    SSL *ssl = SSL_new(tls);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) return ssl;
    SSL_free(ssl);
    return NULL;
}

char *server_request(SSL *ssl, char *in, size_t room) {
    static const char length[] = "content-length:";
    size_t have = 0;
    for (;;) {
        int got = SSL_read(ssl, in + have, (int)(room - 1 - have));
        if (got <= 0) return NULL;
        have += (size_t)got;
        in[have] = 0;
        char *end = strstr(in, "\r\n\r\n"), *found = strcasestr(in, length);
        if (end && found && have >= (size_t)(end + 4 - in) + strtoul(found + sizeof length - 1, NULL, 10)) return end;
    }
}

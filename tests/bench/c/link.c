/* A connection: TCP, the tunnel through a proxy, TLS with the certificate checked, no session taken up again. */
#include "load.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int link_fail(struct link *link, const char *error) {
    link->error = error;
    return -1;
}

SSL_CTX *client_tls(const char *ca, int http2) {
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls || !SSL_CTX_load_verify_locations(tls, ca, NULL)) return NULL;
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    SSL_CTX_set_read_ahead(tls, 1);
    const char *alpn = http2 ? "\x02h2" : "\x08http/1.1";
    SSL_CTX_set_alpn_protos(tls, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    return tls;
}

static int tcp(struct link *link, const struct target *target) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
    if (getaddrinfo(target->address, target->port, &hints, &found)) return link_fail(link, "no such address");
    link->fd = socket(found->ai_family, found->ai_socktype, 0);
    int refused = link->fd < 0 || connect(link->fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (refused) return link_fail(link, "connection refused");
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return 0;
}

static int tunnel(struct link *link, const struct target *target) {
    char text[512];
    int size = snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target->origin, target->origin);
    if (link_write(link, text, (size_t)size)) return -1;
    char *line = link_line(link);
    if (!line) return -1;
    if (strncmp(line, "HTTP/1.1 200", 12)) return link_fail(link, "CONNECT was refused");
    do line = link_line(link);
    while (line && *line);
    return line ? 0 : -1;
}

static int handshake(struct link *link, const struct target *target) {
    link->ssl = SSL_new(target->tls);
    SSL_set_fd(link->ssl, link->fd);
    SSL_set_tlsext_host_name(link->ssl, target->name);
    SSL_set1_host(link->ssl, target->name);
    if (SSL_connect(link->ssl) != 1) {
        int bad = SSL_get_verify_result(link->ssl) != X509_V_OK;
        return link_fail(link, bad ? "the certificate is not trusted" : "TLS failed");
    }
    const unsigned char *alpn;
    unsigned size;
    SSL_get0_alpn_selected(link->ssl, &alpn, &size);
    int is_h2 = size == 2 && !memcmp(alpn, "h2", 2);
    return is_h2 == target->http2 ? 0 : link_fail(link, "another protocol was chosen");
}

int link_open(struct link *link, const struct target *target) {
    link->fd = -1;
    link->ssl = NULL;
    link->from = link->to = 0;
    link->last = 0;
    if (tcp(link, target) || (target->tunnel && tunnel(link, target))) return -1;
    if (target->tls && handshake(link, target)) return -1;
    return target->http2 ? http2_start(link) : 0;
}

void link_close(struct link *link) {
    if (link->ssl) {
        SSL_shutdown(link->ssl);
        SSL_free(link->ssl);
        link->ssl = NULL;
    }
    if (link->fd >= 0) close(link->fd);
    link->fd = -1;
}

int link_fill(struct link *link) {
    memmove(link->in, link->in + link->from, link->to - link->from);
    link->to -= link->from;
    link->from = 0;
    size_t room = sizeof link->in - link->to;
    if (!room) return link_fail(link, "too long a line");
    ssize_t got = link->ssl ? SSL_read(link->ssl, link->in + link->to, (int)room)
                            : recv(link->fd, link->in + link->to, room, 0);
    if (got <= 0) return link_fail(link, "the server closed the connection");
    link->to += (size_t)got;
    link->read_at = now();
    return 0;
}

int link_write(struct link *link, const char *data, size_t size) {
    while (size) {
        ssize_t put = link->ssl ? SSL_write(link->ssl, data, (int)size) : send(link->fd, data, size, MSG_NOSIGNAL);
        if (put <= 0) return link_fail(link, "the server took no more");
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

char *link_line(struct link *link) {
    char *end;
    while (!(end = memchr(link->in + link->from, '\n', link->to - link->from)))
        if (link_fill(link)) return NULL;
    char *line = link->in + link->from;
    link->from = (size_t)(end - link->in) + 1;
    if (end > line && end[-1] == '\r') end--;
    *end = 0;
    return line;
}

/* gateway/rate.c - networks, as far as rate limits tell them apart. */
#include "services/gateway/rate.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t rate_network_key(str address)
{
    enum { V6_NETWORK_SIZE = 8, V4_SIZE = 4, V4_MAPPED_AT = 12 };
    char text[INET6_ADDRSTRLEN] = {0};
    struct in6_addr v6;
    struct in_addr v4;

    if (address.size > 0 && address.size < sizeof(text))
        memcpy(text, address.ptr, address.size);
    if (inet_pton(AF_INET, text, &v4) == 1)
        return str_hash((str){(const char *)&v4, V4_SIZE});
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return str_hash(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return str_hash((str){(const char *)&v6.s6_addr[V4_MAPPED_AT], V4_SIZE});
    return str_hash((str){(const char *)v6.s6_addr, V6_NETWORK_SIZE});
}

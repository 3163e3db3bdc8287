/* platform/crypto/keyring.c - opens the keys and derives all symmetric ones from the masters.
 *
 * No master is ever used itself: HKDF-SHA256 (RFC 5869) makes one key for sealing from each master
 * and one key for each purpose of a MAC. MACs come from master.key (id 0) alone and stay the same
 * when masters are added, because blind indexes and peppered passwords cannot be computed anew
 * without what they hide. Sealing uses the newest master: the envelope names it. */

#include "platform/crypto/keyring_private.h"

#include <assert.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "base/buf.h"
#include "base/mem.h"
#include "platform/crypto/evp.h"

enum { INFO_SIZE_MAX = 96 };

/* --- Rules: no I/O --- */

/* HKDF-SHA256 without salt; info is `label`, a slash and `detail`. */
static void derive(const uint8_t master[KEY_SIZE], const char *label, const char *detail,
                   uint8_t ret[KEY_SIZE])
{
    uint8_t key[KEY_SIZE];
    char digest[] = "SHA256";
    CLEANUP(buf_done) struct buf info = buf_on_heap(INFO_SIZE_MAX);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(evp_algorithms()->hkdf);

    evp_must(ctx != NULL);
    memcpy(key, master, sizeof(key));
    buf_printf(&info, "%s/%s", label, detail);
    assert(!info.overflow);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof(key)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.size),
        OSSL_PARAM_construct_end(),
    };
    evp_must(EVP_KDF_derive(ctx, ret, KEY_SIZE, params) == 1);
    EVP_KDF_CTX_free(ctx);
    OPENSSL_cleanse(key, sizeof(key));
}

static struct keyring *keyring_from(const struct key_set *keys)
{
    struct keyring *keyring = mem_new(struct keyring);

    assert(keys->master_count > 0 && keys->masters[0].id == 0 && keys->ticket_count > 0);
    for (size_t i = 0; i < keys->master_count; i++) {
        struct sealer *sealer = &keyring->sealers[i];

        sealer->id = keys->masters[i].id;
        derive(keys->masters[i].bytes, "boxoffice", "seal", sealer->key);
    }
    keyring->sealer_count = keys->master_count;
    derive(keys->masters[0].bytes, "boxoffice", "mac", keyring->mac_root);

    for (size_t i = 0; i < keys->ticket_count; i++)
        signer_init(&keyring->signers[i], &keys->tickets[i]);
    keyring->signer_count = keys->ticket_count;

    evp_must(pthread_mutex_init(&keyring->purposes_lock, NULL) == 0);
    return keyring;
}

/* --- Storage --- */

err keyring_open(const char *dir, struct rng *rng, struct arena *arena, struct keyring **ret,
                 str *ret_why)
{
    CLEANUP(key_set_wipe) struct key_set keys = {0};

    TRY(key_set_load(dir, rng, arena, &keys, ret_why));
    *ret = keyring_from(&keys);
    return ERR_OK;
}

err keyring_open_memory(uint64_t seed, struct keyring **ret)
{
    CLEANUP(key_set_wipe) struct key_set keys = {.master_count = 1, .ticket_count = 1};
    uint8_t root[KEY_SIZE] = {0};

    memcpy(root, &seed, sizeof(seed));
    derive(root, "memory", "master", keys.masters[0].bytes);
    derive(root, "memory", "ticket", keys.tickets[0].bytes);
    keys.tickets[0].id = 1;
    *ret = keyring_from(&keys);
    return ERR_OK;
}

void keyring_close(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    for (size_t i = 0; i < keyring->purpose_count; i++)
        EVP_MAC_CTX_free(keyring->purposes[i].keyed);
    for (size_t i = 0; i < keyring->signer_count; i++)
        signer_done(&keyring->signers[i]);
    evp_must(pthread_mutex_destroy(&keyring->purposes_lock) == 0);
    OPENSSL_cleanse(keyring, sizeof(*keyring));
    mem_free(keyring);
}

static const struct purpose *find_purpose(const struct keyring *keyring, const char *name)
{
    const size_t count = atomic_load_explicit(&keyring->purpose_count, memory_order_acquire);

    for (size_t i = 0; i < count; i++)
        if (strcmp(keyring->purposes[i].name, name) == 0)
            return &keyring->purposes[i];
    return NULL;
}

/* With the lock held: derives the key of a purpose that is not there yet. */
static void add_purpose(struct keyring *keyring, const char *name)
{
    uint8_t key[KEY_SIZE];
    const size_t count = atomic_load_explicit(&keyring->purpose_count, memory_order_relaxed);

    assert(count < PURPOSES_MAX);
    struct purpose *purpose = &keyring->purposes[count];
    assert(strlen(name) <= PURPOSE_SIZE_MAX);
    memcpy(purpose->name, name, strlen(name) + 1);

    derive(keyring->mac_root, "mac", name, key);
    purpose->keyed = EVP_MAC_CTX_dup(evp_algorithms()->hmac_sha256);
    evp_must(purpose->keyed != NULL);
    evp_must(EVP_MAC_init(purpose->keyed, key, sizeof(key), NULL) == 1);
    OPENSSL_cleanse(key, sizeof(key));
    atomic_store_explicit(&keyring->purpose_count, count + 1, memory_order_release);
}

static const struct purpose *get_purpose(struct keyring *keyring, const char *name)
{
    const struct purpose *purpose = find_purpose(keyring, name);

    if (purpose != NULL)
        return purpose;
    evp_must(pthread_mutex_lock(&keyring->purposes_lock) == 0);
    if (find_purpose(keyring, name) == NULL)
        add_purpose(keyring, name);
    evp_must(pthread_mutex_unlock(&keyring->purposes_lock) == 0);
    return find_purpose(keyring, name);
}

void keyring_mac(struct keyring *keyring, const char *purpose, str data, uint8_t ret[SHA256_SIZE])
{
    const struct purpose *keyed = get_purpose(keyring, purpose);

    assert(keyed != NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(keyed->keyed);
    evp_must(ctx != NULL);
    evp_must(EVP_MAC_update(ctx, (const unsigned char *)data.ptr, data.size) == 1);
    evp_must(EVP_MAC_final(ctx, ret, NULL, SHA256_SIZE) == 1);
    EVP_MAC_CTX_free(ctx);
}

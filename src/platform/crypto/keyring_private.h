/* platform/crypto/keyring_private.h - what a keyring is made of; for this folder only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/evp.h>

#include "platform/crypto/crypto.h"
#include "platform/crypto/keyfile.h"

enum { PURPOSES_MAX = 32, PURPOSE_SIZE_MAX = 47 };

struct sealer {
    uint16_t id;
    uint8_t key[KEY_SIZE]; /* AES-256, derived */
};

struct signer {
    uint16_t id;
    EVP_PKEY *pair;
    uint8_t public_key[ED25519_KEY_SIZE];
};

struct purpose {
    char name[PURPOSE_SIZE_MAX + 1];
    EVP_MAC_CTX *keyed; /* to be copied */
};

/* Immutable once open, except for purposes: those are only ever added. */
struct keyring {
    struct sealer sealers[KEYS_MAX]; /* ascending by id: the last one seals */
    size_t sealer_count;
    struct signer signers[KEYS_MAX]; /* ascending by id: the last one signs */
    size_t signer_count;
    uint8_t mac_root[KEY_SIZE];
    struct purpose purposes[PURPOSES_MAX];
    _Atomic size_t purpose_count; /* what is below it can be read without the lock */
    pthread_mutex_t purposes_lock;
};

/* The Ed25519 pair of a seed (sign.c). */
void signer_init(struct signer *signer, const struct key *seed);
void signer_done(struct signer *signer);

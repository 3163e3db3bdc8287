/* base/mem.h - memory that a service's state owns beyond one request. Exhaustion aborts, so
 * nothing gives NULL. */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);             /* zeroed; freed with mem_free */
void *mem_resize(void *ptr, size_t size); /* what is new is not zeroed */
void mem_free(void *ptr);                 /* NULL is accepted */
/* For containers that keep what is constant to others: the same pointer, without its const. */
void *mem_unconst(const void *ptr);
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
/* Before a large variable of a hot path: releases are built so that variables begin as zeros, which
 * would be most of its cost. Whoever uses it reads nothing that he has not written. */
#define UNINITIALIZED __attribute__((uninitialized))

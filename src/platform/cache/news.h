/* platform/cache/news.h - who listens to which channel, and the thread that tells them. For this
 * folder only. */
#pragma once

#include "base/str.h"

struct news;

struct news *news_open(void);
/* What has been told to the thread is delivered first. NULL is accepted. */
void news_close(struct news *news);

/* The contracts of cache_listen and cache_unlisten. */
void news_listen(struct news *news, const char *channel, void (*hear)(void *arg, str payload),
                 void *arg);
void news_unlisten(struct news *news, void *arg);

/* Hands a message to the thread; never blocks. If too many wait, it is dropped, and all listeners
 * hear that some were missed. */
void news_tell(struct news *news, str channel, str payload);
/* All listeners hear that some may have been missed. */
void news_tell_missed(struct news *news);

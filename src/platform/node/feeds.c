/* platform/node/feeds.c - which outboxes a service follows, and whom it wakes when it has written.
 *
 * The list of a service's feeds follows from its descriptor and never changes while the node is
 * open: any thread may look up whom to wake. */

#include <assert.h>
#include <string.h>

#include "platform/node/feed.h"
#include "platform/node/node.h"

struct feeds {
    struct feed *first;
};

static struct feed *find(const struct instance *self, const char *source)
{
    struct feed *feed = self->feeds->first;

    while (feed != NULL && strcmp(feed->source_name, source) != 0)
        feed = feed->next;
    return feed;
}

static struct feed *find_or_add(struct instance *self, const char *source)
{
    struct feed *feed = find(self, source);

    if (feed != NULL)
        return feed;
    feed = feed_new(self, source);
    feed->next = self->feeds->first;
    self->feeds->first = feed;
    return feed;
}

void feeds_init(struct instance *self)
{
    const struct consumer *consumer = self->service->consumers;

    self->feeds = arena_new(self->node->arena, struct feeds);
    for (; consumer != NULL && consumer->source != NULL; consumer++) {
        assert(consumer->mode == CONSUMER_VOLATILE || self->db != NULL); /* for the cursor */
        find_or_add(self, consumer->source)->lines[consumer->mode].used = true;
    }
}

void outbox_follow_from(struct instance *consumer, const char *source,
                        struct outbox_position position)
{
    struct feed *feed = find(consumer, source);

    assert(!consumer->is_open);
    assert(feed != NULL && feed->lines[CONSUMER_VOLATILE].used);
    feed->lines[CONSUMER_VOLATILE].cursor = position;
    feed->lines[CONSUMER_VOLATILE].placed = true;
}

err feeds_open(struct instance *self)
{
    for (struct feed *feed = self->feeds->first; feed != NULL; feed = feed->next) {
        feed->source = node_find(self->node, feed->source_name);
        if (feed->source == NULL)
            continue;
        TRY(feed_open(feed));
        chores_add(self, feed->chore, feed_run, feed);
    }
    return ERR_OK;
}

void feeds_close(struct instance *self)
{
    if (self->feeds == NULL)
        return;
    for (struct feed *feed = self->feeds->first; feed != NULL; feed = feed->next)
        feed_close(feed);
    self->feeds = NULL;
}

bool feeds_hold_back(const struct instance *self, const char *source)
{
    const struct feed *feed = find(self, source);

    return feed != NULL && feed->lines[CONSUMER_DURABLE].used;
}

bool feeds_wake_held(const struct instance *self)
{
    bool any = false;

    for (const struct feed *feed = self->feeds->first; feed != NULL; feed = feed->next) {
        if (!feed->held)
            continue;
        chore_wake(feed->self, feed->chore);
        any = true;
    }
    return any;
}

void outbox_wake(struct instance *self)
{
    struct node *node = self->node;

    for (size_t i = 0; i < node->instance_count; i++) {
        struct instance *other = &node->instances[i];
        const struct feed *feed = other->feeds != NULL ? find(other, self->service->name) : NULL;
        if (feed != NULL)
            chore_wake(other, feed->chore);
    }
}

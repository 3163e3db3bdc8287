/* booking/desk.c - the desk's writes that are no holds: confirmations, cancellations, refunds. */
#include "services/booking/desk.h"

#include "services/booking/state.h"

void desk_note(struct desk_write *write, ticket_type_id type, stock_level level)
{
    if (write->note_count == DESK_NOTES_MAX)
        return;
    write->notes[write->note_count].type = type;
    write->notes[write->note_count].level = level;
    write->note_count++;
}

static err apply_write(struct batch_write *batch_write, struct tx *tx)
{
    struct desk_write *write =
        (struct desk_write *)((char *)batch_write - offsetof(struct desk_write, write));

    write->note_count = 0;
    return write->apply(tx, write);
}

err desk_run(struct call *call, desk_apply apply, void *arg)
{
    const struct booking *booking = booking_of(call);
    struct desk_write *write = arena_new(call->arena, struct desk_write);

    *write = (struct desk_write){
        .write = {.apply = apply_write, .savepoint = true},
        .call = call,
        .apply = apply,
        .arg = arg
    };
    TRY(batch_run(booking->desk, &write->write));
    for (size_t i = 0; i < write->note_count; i++)
        stock_note(booking->stock, write->notes[i].type, write->notes[i].level);
    outbox_wake(call->self);
    return ERR_OK;
}

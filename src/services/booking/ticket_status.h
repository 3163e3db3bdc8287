/* booking/ticket_status.h - the states of a ticket, as they are in the database. */
#pragma once

enum ticket_status {
    TICKET_VALID,
    TICKET_USED,
    TICKET_CANCELLED,
    TICKET_REFUNDED,
    TICKET_TRANSFERRED, /* another ticket has taken its place */
};

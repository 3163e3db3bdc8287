/* commands.h - the commands of the program. Each gives the exit status: 0, 1 (it failed, said in one line), 2 (called wrongly). */
#pragma once

#include "platform/node/call.h"

int command_serve(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_import(int argc, char **argv);
int command_export(int argc, char **argv);
int command_user(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_version(int argc, char **argv);

struct world;

/* What they share. The flags of all that open a world: */
#define WORLD_FLAGS(options)                \
    {"--data", &(options).data, NULL},      \
    {                                       \
        "--config", &(options).config, NULL \
    }

/* Says in one line how the call is wrong; gives 2. */
int command_wrong(const char *what);
/* Says what a call was refused for: its own sentence, its fields, or the error's title; gives 1. */
int command_failed(const struct call *call, err e);
/* The vendor that somebody with this address acts for. ERR_NOT_FOUND, explained. */
err command_find_vendor(struct call *call, str email, struct uuid *ret);
/* Prints whether the ledgers agree, and what else needs somebody; gives the exit status. */
int audit_world(struct world *world);

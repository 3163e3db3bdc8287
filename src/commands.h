/* commands.h - the commands of the program. Each gives the exit status: 0, 1 (it failed, said in one line), 2 (called wrongly). */
#pragma once

int command_serve(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_import(int argc, char **argv);
int command_user(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_version(int argc, char **argv);

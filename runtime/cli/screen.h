/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal that a command has to itself: a picture that is drawn again and again, keys without
 * Enter, and everything as it was before, however the command ends or is stopped.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct screen {
	struct termios before;
	int signals;	 /* signalfd */
	bool shown;	 /* the terminal is ours */
	bool stoppable;	 /* Ctrl-Z is obeyed */
	int interrupted; /* the signal that ends the command, 0: none */
};

/* True when there is a terminal on both sides. */
bool screen_possible(void);

int screen_open(bool stoppable, struct screen *ret_screen, struct error *err);
void screen_close(struct screen *screen);

void screen_size(unsigned *ret_columns, unsigned *ret_rows);

/* Lines, each with its newline, in place of what was there; no line is longer than the screen. */
int screen_draw(const struct text *lines, struct error *err);

/*
 * Waits so long at most. A key; 0: the time is over, or the picture is to be drawn again; -1: it is
 * to end (interrupted), or nobody is there any more.
 */
int screen_wait(struct screen *screen, int64_t ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long one who was told to end waits for what it has passed that on to: a command inside can
 * be stopped, and then no signal but SIGKILL does anything. For stint exec.
 */
#ifndef CLI_PATIENCE_H
#define CLI_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_S 5

/* Zero-initialise. */
struct patience {
	int asked;	    /* the last signal that asked for the end; 0: none did */
	int64_t asked_ns;   /* boot time of the first one */
	int64_t give_up_ns; /* boot time; 0: never by itself */
	bool over;
};

/*
 * A signal came. SIGTERM has to be heeded in time; SIGINT need not be the end, but one of them that
 * is repeated is. timeout(1) sends its signal twice at once, which is no repetition.
 */
void patience_take(struct patience *patience, int signal);

/* True when it is over, by a signal or by now. */
bool patience_is_over(struct patience *patience);

/* For poll(2). */
int patience_wait_ms(const struct patience *patience);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal of one's own; see screen.h. ECMA-48, and what xterm(1) made of it since. */
#include "cli/screen.h"
#include "base/file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The other screen, without a cursor; and back. */
static const char enter[] = "\033[?1049h\033[?25l\033[2J";
static const char leave[] = "\033[?25h\033[?1049l";

static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static int show(struct screen *screen)
{
	struct termios raw = screen->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	screen->shown = true;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	return file_write_all(STDOUT_FILENO, enter, strlen(enter));
}

static void hide(struct screen *screen)
{
	if (!screen->shown)
		return;
	screen->shown = false;
	(void)file_write_all(STDOUT_FILENO, leave, strlen(leave));
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

int screen_open(bool stoppable, struct screen *ret_screen, struct error *err)
{
	sigset_t set;
	int r;

	*ret_screen = (struct screen){.signals = -1, .stoppable = stoppable};
	if (tcgetattr(STDIN_FILENO, &ret_screen->before) < 0)
		return error_set(err, errno, "cannot read the terminal's settings");
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ret_screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ret_screen->signals < 0)
		return error_set(err, errno, "cannot wait for signals");
	r = show(ret_screen);
	return r < 0 ? error_set(err, -r, "cannot set up the terminal") : 0;
}

void screen_close(struct screen *screen)
{
	hide(screen);
	if (screen->signals >= 0)
		close(screen->signals);
	screen->signals = -1;
}

void screen_size(unsigned *ret_columns, unsigned *ret_rows)
{
	struct winsize size = {0};

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*ret_columns = size.ws_col ? size.ws_col : 80;
	*ret_rows = size.ws_row ? size.ws_row : 24;
}

int screen_draw(const struct text *lines, struct error *err)
{
	struct text frame = {0};
	int r;

	text_add(&frame, "\033[H");
	for (const char *at = lines->data ? lines->data : ""; *at;) {
		size_t length = strcspn(at, "\n");

		text_add_bytes(&frame, at, length);
		text_add(&frame, at[length] && at[length + 1] ? "\033[K\r\n" : "\033[K");
		at += length + (at[length] != '\0');
	}
	text_add(&frame, "\033[J");
	r = file_write_all(STDOUT_FILENO, frame.data, frame.length);
	text_deinit(&frame);
	return r < 0 ? error_set(err, -r, "cannot write to the terminal") : 0;
}

/* As if it had not taken the signal; goes on when somebody lets it. */
static void stop(struct screen *screen)
{
	sigset_t set;

	hide(screen);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)show(screen);
}

static int take_signal(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo == SIGWINCH)
		return 0;
	if (info.ssi_signo != SIGTSTP) {
		screen->interrupted = (int)info.ssi_signo;
		return -1;
	}
	if (screen->stoppable)
		stop(screen);
	return 0;
}

int screen_wait(struct screen *screen, int64_t ns)
{
	struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				  {.fd = screen->signals, .events = POLLIN}};
	unsigned char key;

	if (ns < 0)
		ns = 0;
	if (poll(polled, 2, (int)(ns / NSEC_PER_MSEC) + 1) < 0)
		return errno == EINTR ? 0 : -1;
	if (polled[1].revents)
		return take_signal(screen);
	if (!polled[0].revents)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

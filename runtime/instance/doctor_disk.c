/* SPDX-License-Identifier: Apache-2.0 */
/* What can hold a limit of what an instance writes; see doctor.h. */
#include "instance/disk.h"
#include "instance/probing.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>

#define CHECK "disk limits"
#define FIGURE (256ULL << 20) /* more than is held in memory */

void doctor_probe_disk_limits(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *path = doctor_existing(site->state_path);
	cleanup_fd int state = file_open_directory(AT_FDCWD, path);
	struct site trial = *site;
	struct error err = {0};
	const char *words;

	if (state < 0 || geteuid() != 0)
		return;
	trial.state = state;
	words = disk_offer(&trial, FIGURE, site->admission.ids.count > 0, &err);
	if (words)
		doctor_addf(report, DOCTOR_OK, CHECK, NULL, "held by %s", words);
	else
		doctor_addf(report, DOCTOR_NOTE, CHECK, NULL, "only small ones, in memory: %s",
			    err.text);
}

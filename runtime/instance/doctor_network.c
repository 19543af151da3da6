/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's packets: whether zones get what is open to them. See doctor.h; in "stint doctor". */
#include "instance/lock.h"
#include "instance/obstacles.h"
#include "instance/probing.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "store/zones.h"

#include <fcntl.h>
#include <unistd.h>

static void look_at_zone(const struct site *site, const struct record *record,
			 struct doctor_report *report)
{
	struct obstacle_list found;
	struct error err = {0};

	if (obstacles_find(site, record, &found, &err) < 0)
		doctor_addf(report, DOCTOR_NOTE, "network", NULL, "zone '%s' cannot be tried: %s",
			    record->zone, err.text);
	else if (found.tried && !found.n && !found.untested)
		doctor_addf(report, DOCTOR_OK, "network", NULL,
			    "nothing is in the way of zone '%s'", record->zone);
	for (size_t i = 0; i < found.n; i++)
		doctor_addf(report, DOCTOR_NOTE, "network", found.list[i].fix, "zone '%s': %s",
			    record->zone, found.list[i].text);
	for (size_t i = 0; found.untested && found.untested[i]; i++)
		doctor_addf(report, DOCTOR_NOTE, "network", NULL, "zone '%s' is not tested: %s",
			    record->zone, found.untested[i]);
	obstacle_list_deinit(&found);
}

static void look_at_zones(const struct site *site, struct store *store,
			  struct doctor_report *report)
{
	cleanup_strv char **seen = NULL;
	struct record **records = NULL;
	size_t n = 0;

	if (store_list(store, &records, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct record *record = records[i];

		if (strv_contains(seen, record->zone) || !instance_is_alive(site, record->grant.id))
			continue;
		strv_add(&seen, record->zone);
		look_at_zone(site, record, report);
	}
	record_list_free(records, n);
}

/* From one running instance of each zone: without any there is no link to send a packet over. */
void doctor_probe_network(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *file = xasprintf("%s/store.db", site->state_path);
	cleanup_fd int run = file_open_directory(AT_FDCWD, site->run_path);
	cleanup_store struct store *store = NULL;
	struct site opened = *site;

	opened.run = run;
	/* whoever opens a store makes one */
	if (geteuid() == 0 && run >= 0 && access(file, F_OK) == 0 &&
	    store_open(site->state_path, &store, NULL) == 0)
		look_at_zones(&opened, store, report);
}

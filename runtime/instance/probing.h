/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the doctor; only for runtime/instance/doctor*.c. Each adds its lines to the report. */
#ifndef INSTANCE_PROBING_H
#define INSTANCE_PROBING_H

#include "instance/doctor.h"

void doctor_probe_namespaces(const struct site *site, struct doctor_report *report);
void doctor_probe_own_ids(const struct site *site, struct doctor_report *report);
void doctor_probe_overlay(const struct site *site, struct doctor_report *report);
void doctor_probe_run_directory(const struct site *site, struct doctor_report *report);
void doctor_probe_disk(const struct site *site, struct doctor_report *report);
void doctor_probe_disk_limits(const struct site *site, struct doctor_report *report);
void doctor_probe_groups(const struct site *site, struct doctor_report *report);
void doctor_probe_network(const struct site *site, struct doctor_report *report);

/* The path, or the nearest directory above it that exists. The caller frees. */
char *doctor_existing(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The version that a jar says it has. Jars are whoever's who owns the installation. */
#ifndef INSTALL_JAR_H
#define INSTALL_JAR_H

#include <stdbool.h>
#include <stddef.h>

#define JAR_VERSION_SIZE 65

/* Whether the path ends in ".jar". */
bool jar_is_named(const char *path);

/*
 * The version of the jar at that path below the open directory. It is unpacked in a child that has
 * no rights and little memory and time. False, with nothing in version, when there is none, or it
 * cannot be read. With no store open.
 */
bool jar_version(int directory, const char *path, char version[JAR_VERSION_SIZE]);

/*
 * What the text of a META-INF/MANIFEST.MF says: Implementation-Version, else Bundle-Version (Java's
 * JAR file specification), cut at 64 bytes; anything but plain characters is '?'.
 */
bool jar_manifest_version(const char *text, size_t length, char version[JAR_VERSION_SIZE]);

#endif

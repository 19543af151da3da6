# SPDX-License-Identifier: Apache-2.0
# Writes the C file OUTPUT with the contents of the files TEMPLATES; see catalog.h.
#   cmake "-DTEMPLATES=DIRECTORY/A.yaml;DIRECTORY/B.yaml" -DOUTPUT=FILE -P embed.cmake
list(SORT TEMPLATES)

set(texts "")
set(entries "")
foreach(template ${TEMPLATES})
	get_filename_component(name ${template} NAME_WE)
	string(MAKE_C_IDENTIFIER ${name} identifier)
	file(READ ${template} bytes HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
	string(APPEND texts "static const unsigned char text_${identifier}[] = {${bytes}};\n")
	string(APPEND entries
		"\t{\"${name}\", text_${identifier}, sizeof(text_${identifier})},\n")
endforeach()

file(WRITE ${OUTPUT} "/* SPDX-License-Identifier: Apache-2.0 */
/* Made by embed.cmake; do not edit. */
#include \"templates/catalog.h\"

${texts}
const struct catalog_entry catalog[] = {
${entries}\t{NULL, NULL, 0},
};
")

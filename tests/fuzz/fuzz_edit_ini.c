/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: any text as a file in the format ini; see fuzz_edit.h. */
#include "fuzz_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_edit(EDIT_INI, data, size);
}

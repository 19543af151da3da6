# SPDX-License-Identifier: Apache-2.0
# The forwarder and its parts. test_rig is a forwarder in a child process, for tests of the whole.
add_library(test_rig STATIC rig.c)
target_link_libraries(test_rig PUBLIC forwarder base PkgConfig::CMOCKA)
stint_unit_test(dial test_rig)
stint_unit_test(drain test_rig)
stint_unit_test(forwarder test_rig)
stint_unit_test(lines forwarder base)
stint_unit_test(logfile forwarder base)
stint_unit_test(loop forwarder base)
stint_unit_test(output forwarder base)
stint_unit_test(probe test_rig)
stint_unit_test(relay test_rig)

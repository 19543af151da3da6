# SPDX-License-Identifier: Apache-2.0
# What commands read of an instance: its log, its files, its changes. test_log has the forwarder's
# writer at the other end.
add_library(shell_rig STATIC shell_rig.c)
target_link_libraries(shell_rig PUBLIC base)
add_library(copy_rig STATIC copy_rig.c)
target_link_libraries(copy_rig PUBLIC instance base shell_rig PkgConfig::CMOCKA)
stint_unit_test(copy copy_rig)
stint_unit_test(copy_race copy_rig)
add_library(diff_rig STATIC diff_rig.c)
target_link_libraries(diff_rig PUBLIC instance base shell_rig PkgConfig::CMOCKA)
stint_unit_test(diff diff_rig rootfs)
stint_unit_test(diff_marks diff_rig)
stint_unit_test(harvest test_world instance)
stint_unit_test(made test_world instance)
stint_unit_test(unpack test_world instance)
stint_unit_test(doctor instance base)
stint_unit_test(log instance forwarder base)
stint_unit_test(visible base)

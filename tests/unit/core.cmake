# SPDX-License-Identifier: Apache-2.0
# base, the four mechanisms, the keeper's messages and what surrounds the life of an instance.
add_library(test_world STATIC ${CMAKE_CURRENT_LIST_DIR}/world.c)
target_link_libraries(test_world PUBLIC base PkgConfig::CMOCKA)
stint_unit_test(file test_world)
stint_unit_test(wire base)
stint_unit_test(socket test_world)
stint_unit_test(process test_world)
stint_unit_test(cgroup test_world cgroup cgroup_inside)
stint_unit_test(confine test_world confine_inside)
stint_unit_test(loopback test_world netns_inside)

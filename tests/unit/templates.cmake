# SPDX-License-Identifier: Apache-2.0
# Templates and the plan's canonical form.
stint_unit_test(config test_world templates plan base)
stint_unit_test(document templates plan base)
stint_unit_test(heap test_world templates plan base)
stint_unit_test(pattern templates base)
stint_unit_test(template templates plan base)
add_library(test_fault_rig STATIC ${CMAKE_CURRENT_LIST_DIR}/fault_rig.c)
target_link_libraries(test_fault_rig PUBLIC templates plan base PkgConfig::CMOCKA)
stint_unit_test(template_faults test_fault_rig)
stint_unit_test(template_faults_more test_fault_rig)
stint_unit_test(template_guard test_world templates plan base)
stint_unit_test(canonical templates plan base)

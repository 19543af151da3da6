# SPDX-License-Identifier: Apache-2.0
# The store, and the text half of base. store_rig changes databases behind the store's back.
add_library(store_rig STATIC store_rig.c)
target_link_libraries(store_rig PUBLIC store base plan PkgConfig::CMOCKA PRIVATE third_party_SQLITE)
stint_unit_test(store store_rig)
stint_unit_test(store_crowd store_rig)
stint_unit_test(store_due store_rig)
stint_unit_test(store_history store_rig)
stint_unit_test(store_open store_rig)
stint_unit_test(store_quota store_rig)
stint_unit_test(store_zones store_rig)
stint_unit_test(zone plan)
stint_unit_test(notation base)
stint_unit_test(text base)

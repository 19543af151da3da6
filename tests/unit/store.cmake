# SPDX-License-Identifier: Apache-2.0
# The store, and the text half of base. test_store makes a database of a newer schema by itself.
stint_unit_test(store store base plan PkgConfig::SQLITE)
stint_unit_test(text base)
stint_unit_test(notation base)

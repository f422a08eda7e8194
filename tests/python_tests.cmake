# Tests of the ordinary program in Python (Debian's interpreter has h5py and scipy; another one first on PATH may not),
# and the reference simulator of test_exactness. Included by tests/CMakeLists.txt.
set(AIRESIM_PYTHON /usr/bin/python3 CACHE FILEPATH "Python 3 with h5py, numpy, scipy")

if(TARGET test_exactness)
  target_sources(test_exactness PRIVATE ${CMAKE_SOURCE_DIR}/tests/reference_sim.c)
  set_tests_properties(test_exactness PROPERTIES LABELS exactness TIMEOUT 600)
endif()

if(TARGET airesim)
  set(program $<TARGET_FILE:airesim>)
  set(tests ${CMAKE_SOURCE_DIR}/tests)
  add_test(NAME validation COMMAND ${AIRESIM_PYTHON} ${tests}/validation/validate.py --program ${program} --tier quick)
  add_test(NAME validation_statistics COMMAND ${AIRESIM_PYTHON} ${tests}/validation/selftest.py)
  set(AIRESIM_OTHER_PROGRAMS "" CACHE STRING "airesim of other builds, whose results must be equal bit for bit")
  list(TRANSFORM AIRESIM_OTHER_PROGRAMS PREPEND "--other;" OUTPUT_VARIABLE others)
  add_test(NAME bitwise COMMAND ${AIRESIM_PYTHON} ${tests}/bitwise.py --program ${program} ${others})
  add_test(NAME cli COMMAND ${AIRESIM_PYTHON} ${tests}/cli.py --program ${program})
  set_tests_properties(validation PROPERTIES LABELS validation TIMEOUT 900 PROCESSORS 2)
  set_tests_properties(validation_statistics PROPERTIES LABELS validation TIMEOUT 120)
  set_tests_properties(bitwise PROPERTIES LABELS bitwise TIMEOUT 600 PROCESSORS 2)
  set_tests_properties(cli PROPERTIES LABELS cli TIMEOUT 300)
endif()

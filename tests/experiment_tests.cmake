# The results file as others read it: xarray, h5py, ncdump. Included by tests/CMakeLists.txt.
if(AIRESIM_PYTHON AND TARGET test_results)
  add_test(NAME netcdf COMMAND ${AIRESIM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/check_netcdf.py $<TARGET_FILE:test_results>)
  set_tests_properties(netcdf PROPERTIES LABELS program)
endif()

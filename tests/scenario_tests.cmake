# The JSON Schema against the repository's scenarios; skipped where PyYAML or jsonschema is missing.
if(TARGET airesim)
  add_test(NAME schema COMMAND ${AIRESIM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/schema.py --program $<TARGET_FILE:airesim>)
  set_tests_properties(schema PROPERTIES LABELS program SKIP_RETURN_CODE 77)
endif()

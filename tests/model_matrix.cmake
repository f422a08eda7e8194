# One test a model of models/CMakeLists.txt: the matrix of tests/models/matrix.c on tests/models/<model>.yaml. A model
# without that scenario fails. Included by tests/CMakeLists.txt.
add_executable(model_matrix ${CMAKE_CURRENT_LIST_DIR}/models/matrix.c)
target_link_libraries(model_matrix PRIVATE airesim_lib PkgConfig::CRITERION)
target_compile_definitions(model_matrix PRIVATE AIRESIM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
foreach(model IN LISTS AIRESIM_MODELS)
  get_filename_component(name ${model} NAME)
  add_test(NAME model_${name} COMMAND model_matrix)
  set_tests_properties(model_${name} PROPERTIES LABELS unit ENVIRONMENT "AIRESIM_MODEL=${name}")
endforeach()

# Compiles scenarios/presets/*.yaml into the library: the program needs no files beside it. Each byte becomes a number,
# since string literals of C are limited in length.
file(GLOB preset_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scenarios/presets/*.yaml)
list(SORT preset_files)
set(presets_c "/* Generated from scenarios/presets/. */\n#include \"sim/scenario/presets.h\"\n")
set(preset_rows "")
foreach(preset IN LISTS preset_files)
  get_filename_component(section ${preset} NAME_WE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${preset})
  file(READ ${preset} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND presets_c "static const unsigned char text_${section}[] = {${bytes}};\n")
  string(APPEND preset_rows
    "    {\"${section}\", \"presets/${section}.yaml\", text_${section}, sizeof text_${section}},\n")
endforeach()
string(APPEND presets_c "const struct sc_preset_file sc_presets[] = {\n${preset_rows}    {NULL, NULL, NULL, 0}};\n")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/presets.c CONTENT "${presets_c}")

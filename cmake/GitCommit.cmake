cmake_minimum_required(VERSION 3.25)
# At build time: writes OUTPUT, a header that defines AIRESIM_GIT_COMMIT, anew only when it changed.
#   cmake -DSOURCE=dir -DOUTPUT=file -P GitCommit.cmake
set(commit "unknown")
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -c safe.directory=* describe --always --dirty --abbrev=40 --match=
    WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE found ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(NOT failed AND found)
    set(commit "${found}")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define AIRESIM_GIT_COMMIT \"@commit@\"\n" @ONLY)

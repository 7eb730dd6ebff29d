# How a layer is built. Each folder's CMakeLists.txt is a few calls of these.

function(picket_global_settings)
  set(CMAKE_CXX_STANDARD 20 PARENT_SCOPE)
  set(CMAKE_CXX_STANDARD_REQUIRED ON PARENT_SCOPE)
  set(CMAKE_CXX_EXTENSIONS OFF PARENT_SCOPE)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin" PARENT_SCOPE)
  find_package(Threads REQUIRED)

  find_program(CCACHE ccache)
  if(CCACHE)
    # What was compiled in one checkout is found again from another: no absolute path counts.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;${CCACHE}"
        PARENT_SCOPE)
  endif()

  # Places on this machine, for tests only; a file, so that they are no part of any other command line.
  configure_file("${CMAKE_SOURCE_DIR}/scripts/cmake/picket_paths.hpp.in" "${CMAKE_BINARY_DIR}/generated/picket_paths.hpp")

  configure_file("${CMAKE_SOURCE_DIR}/scripts/cmake/picket_build.hpp.in" "${CMAKE_BINARY_DIR}/generated/picket_build.hpp")

  add_library(picket_flags INTERFACE)
  target_include_directories(picket_flags INTERFACE "${CMAKE_BINARY_DIR}/generated")
  target_include_directories(picket_flags INTERFACE "${CMAKE_SOURCE_DIR}")
  target_compile_options(picket_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
  target_compile_definitions(picket_flags INTERFACE MSGPACK_NO_BOOST)
  if(PICKET_WERROR)
    target_compile_options(picket_flags INTERFACE -Werror)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(picket_flags INTERFACE -march=x86-64-v2)
  endif()
  if(PICKET_SANITIZE)
    target_compile_options(picket_flags INTERFACE "-fsanitize=${PICKET_SANITIZE}")
    string(REPLACE "fuzzer-no-link," "" link_sanitize "${PICKET_SANITIZE}")
    target_link_options(picket_flags INTERFACE "-fsanitize=${link_sanitize}")
  endif()
  target_link_libraries(picket_flags INTERFACE Threads::Threads)
endfunction()

# picket_layer(NAME [LINK lib...] [TEST_LINK lib...] [PROGRAMS folder...]): the library `picket_NAME` from every .cpp
# below this folder, and from its *_test.cpp one test program `NAME_test`, from each *_fuzz.cpp one fuzz program.
# PROGRAMS: folders that belong to programs of their own, not to the library.
function(picket_layer name)
  cmake_parse_arguments(L "" "" "LINK;TEST_LINK;PROGRAMS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  foreach(folder ${L_PROGRAMS})
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${folder}/")
  endforeach()
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")

  if(sources)
    add_library(picket_${name} STATIC ${sources})
    target_link_libraries(picket_${name} PUBLIC picket_flags ${L_LINK})
  else()
    add_library(picket_${name} INTERFACE)
    target_link_libraries(picket_${name} INTERFACE picket_flags ${L_LINK})
  endif()

  if(PICKET_BUILD_TESTS AND tests)
    picket_test(${name}_test SOURCES ${tests} LINK picket_${name} ${L_TEST_LINK})
  endif()

  if(PICKET_FUZZ)
    foreach(file ${fuzzers})
      get_filename_component(program "${file}" NAME_WE)
      add_executable(${program} "${file}")
      target_link_libraries(${program} PRIVATE picket_${name})
      target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# picket_test(NAME SOURCES file... [LINK lib...]): a GoogleTest program, run by ctest as one test.
function(picket_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE ${T_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set(lists "${CMAKE_SOURCE_DIR}/scripts/sanitizers")
  set(environment
    "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:suppressions=${lists}/ubsan.supp"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:detect_leaks=1")
  # Suppressions name CAF's own code, so only programs with CAF in them get them.
  if("${T_LINK}" MATCHES "picket_(actors|harness|ctl|node)")
    set(tsan_lists ":suppressions=${lists}/tsan.supp")
  endif()
  list(APPEND environment "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1${tsan_lists}")
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 ENVIRONMENT "${environment}")
endfunction()

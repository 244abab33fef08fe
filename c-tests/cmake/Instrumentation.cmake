# What watches the tests while they run: a sanitizer in the code, or valgrind around it.

if(SANITIZE STREQUAL "address" OR SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=${SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SANITIZE})
elseif(NOT SANITIZE STREQUAL "none")
  message(FATAL_ERROR "SANITIZE is address, thread or none, not '${SANITIZE}'")
endif()

if(SANITIZE STREQUAL "thread")
  add_library(thread_sanitizer OBJECT "${CMAKE_CURRENT_LIST_DIR}/thread_sanitizer.c")
  link_libraries($<TARGET_OBJECTS:thread_sanitizer>)
endif()

if(VMSHARE_MEMCHECK)
  find_program(VALGRIND valgrind REQUIRED)
  # What cmake puts before each program of the build that a test starts. Threads run one at a time: fair
  # turns, or one that waits for another by looking again and again would keep it waiting.
  set(CMAKE_CROSSCOMPILING_EMULATOR "${VALGRIND};--quiet;--fair-sched=yes;--error-exitcode=99"
    "--leak-check=full;--errors-for-leak-kinds=definite")
endif()

# The target `vmshare`: the library that VMSHARE_LIBRARY names, with its headers.

if(NOT EXISTS "${VMSHARE_LIBRARY}")
  message(FATAL_ERROR "VMSHARE_LIBRARY names no file: '${VMSHARE_LIBRARY}'")
endif()

find_package(Threads REQUIRED)
add_library(vmshare UNKNOWN IMPORTED GLOBAL)
set_target_properties(vmshare PROPERTIES
  IMPORTED_LOCATION "${VMSHARE_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${VMSHARE_INCLUDE}")

# A static library does not say what it needs of the system.
if(VMSHARE_LIBRARY MATCHES "\\.a$")
  set_target_properties(vmshare PROPERTIES
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

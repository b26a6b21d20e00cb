# The installed package: find_package(entente) gives entente::core. Component "development" needs only core built.
#
#   cmake --install build/native --component development --prefix /opt/entente
include(CMakePackageConfigHelpers)

set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/entente)
set(_installed entente_core)
if(EMSCRIPTEN)
    list(APPEND _installed entente_zstd entente_sodium)
endif()
install(TARGETS ${_installed} EXPORT ententeTargets COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ententeTargets NAMESPACE entente:: DESTINATION ${_package_dir} COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ententeConfig.cmake.in
    ${PROJECT_BINARY_DIR}/generated/ententeConfig.cmake INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/ententeConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/generated/ententeConfig.cmake
    ${PROJECT_BINARY_DIR}/generated/ententeConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/SystemLibraries.cmake
    DESTINATION ${_package_dir} COMPONENT development)

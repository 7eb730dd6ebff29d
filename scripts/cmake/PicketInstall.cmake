# What `cmake --install` puts where; docs/operate.md has the table.
include(GNUInstallDirs)

install(TARGETS picketd picketctl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
# picketd looks for it at ../share/picket/ruleset, seen from its program.
install(DIRECTORY config/ruleset/ DESTINATION share/picket/ruleset PATTERN tests EXCLUDE)
install(PROGRAMS scripts/show-alerts DESTINATION share/picket)
install(FILES config/prometheus/picket-alerts.yml DESTINATION share/picket/prometheus)
# Not to etc/: an installation must not overwrite what an operator has written there.
install(FILES scripts/packaging/picket.yml DESTINATION share/picket)

file(GLOB manual CONFIGURE_DEPENDS docs/*.md)
install(FILES ${manual} DESTINATION share/doc/picket)
install(FILES config/picket.yml DESTINATION share/doc/picket RENAME picket.yml.example)

# Completion comes from the table of commands, so the program itself writes it.
set(completion "${CMAKE_BINARY_DIR}/completion")
add_custom_command(
  OUTPUT "${completion}/picketctl" "${completion}/_picketctl"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${completion}"
  COMMAND picketctl completion bash > "${completion}/picketctl"
  COMMAND picketctl completion zsh > "${completion}/_picketctl"
  DEPENDS picketctl VERBATIM)
if(NOT PICKET_SANITIZE)
  add_custom_target(picket_completion ALL DEPENDS "${completion}/picketctl" "${completion}/_picketctl")
  install(FILES "${completion}/picketctl" DESTINATION share/bash-completion/completions)
  install(FILES "${completion}/_picketctl" DESTINATION share/zsh/site-functions)
endif()

# The unit names the program by its full path, which is known only when it is installed.
install(CODE "
  file(READ \"${CMAKE_SOURCE_DIR}/scripts/packaging/picketd.service\" unit)
  string(REPLACE \"=/usr/bin/picketd \" \"=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/picketd \" unit \"\${unit}\")
  string(REPLACE \"file:/usr/share\" \"file:\${CMAKE_INSTALL_PREFIX}/share\" unit \"\${unit}\")
  file(WRITE \"${CMAKE_BINARY_DIR}/picketd.service\" \"\${unit}\")
  file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\" TYPE FILE
       FILES \"${CMAKE_BINARY_DIR}/picketd.service\")
")

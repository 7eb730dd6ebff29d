#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/key_file.hpp"
#include "node/picketctl/listing.hpp"
#include "node/picketctl/requests.hpp"
#include "node/picketctl/text_table.hpp"
#include "node/picketctl/views.hpp"

namespace picket::ctl {

namespace {

/// Largest client.keys that is sent; the node takes no more either.
constexpr std::size_t import_bytes_max = 10 * 1024 * 1024;

struct agent_arguments {
  agent_filter filter;
  std::string id;
  std::vector<std::string> ids;
  std::string name;
  std::string address;
  std::vector<std::string> groups;
  std::vector<std::string> set, added, removed;
  std::string file;
  bool skip_faults = false;
};

exit_code list(session& with, const agent_arguments& given) {
  auto body = ask_all_pages(with, [&](std::size_t offset) { return list_agents(given.filter, offset); });
  if (!body) return body.error();
  const auto& data = (*body)["data"];
  if (with.options.json) {
    with.out << pretty(data);
  } else {
    with.out << agents_table(data["affected_items"]);
    auto count = data["affected_items"].size();
    with.out << "\n" << count << (count == 1 ? " agent\n" : " agents\n");
  }
  return finish_envelope(with, *body);
}

exit_code show(session& with, const agent_arguments& given) {
  auto body = ask_json(with, show_agent(given.id));
  if (!body) return body.error();
  const auto items = body->value("/data/affected_items"_json_pointer, json::array());
  for (const auto& agent : items)
    with.out << (with.options.json ? pretty(agent) : agent_details(agent));
  return finish_envelope(with, *body);
}

exit_code add(session& with, const agent_arguments& given) {
  auto body = ask_json(with, add_agent(given.name, given.address, given.groups));
  if (!body) return body.error();
  const auto data = body->value("data", json::object());
  if (with.options.json)
    with.out << pretty(data);
  else
    with.out << "agent " << member_text(data, "id") << " '" << printable(given.name) << "' is registered\n"
             << "key for its import: " << member_text(data, "key") << "\n";
  return exit_code::ok;
}

/// Several requests' outcomes as one.
exit_code both(exit_code one, exit_code other) { return one == other ? one : exit_code::partial; }

exit_code remove(session& with, const agent_arguments& given) {
  std::optional<exit_code> code;
  json removed = json::array();
  for (std::size_t from = 0; from < given.ids.size(); from += ids_per_request) {
    auto first = given.ids.begin() + static_cast<std::ptrdiff_t>(from);
    auto count = std::min(ids_per_request, given.ids.size() - from);
    auto body = ask_json(with, remove_agents({first, first + static_cast<std::ptrdiff_t>(count)}));
    auto step = body ? finish_envelope(with, *body) : body.error();
    code = code ? both(*code, step) : step;
    if (!body) break;
    for (const auto& id : body->value("/data/affected_items"_json_pointer, json::array()))
      removed.push_back(id);
  }
  if (with.options.json)
    with.out << pretty({{"removed", removed}});
  else if (!removed.empty())
    with.out << "removed: " << printable(member_text({{"ids", removed}}, "ids")) << "\n";
  return code.value_or(exit_code::usage);
}

exit_code key(session& with, const agent_arguments& given) {
  auto body = ask_json(with, agent_key(given.id));
  if (!body) return body.error();
  for (const auto& item : body->value("/data/affected_items"_json_pointer, json::array()))
    with.out << (with.options.json ? pretty(item) : member_text(item, "key") + "\n");
  return finish_envelope(with, *body);
}

exit_code show_groups(session& with, const agent_arguments& given) {
  auto body = ask_json(with, show_agent(given.id));
  if (!body) return body.error();
  for (const auto& agent : body->value("/data/affected_items"_json_pointer, json::array())) {
    auto names = agent.value("group", json::array());
    if (with.options.json)
      with.out << pretty({{"id", agent["id"]}, {"groups", names}});
    else
      for (const auto& name : names)
        with.out << printable(name.is_string() ? name.get<std::string>() : "") << "\n";
  }
  return finish_envelope(with, *body);
}

exit_code groups(session& with, const agent_arguments& given) {
  for (const auto& [change, names] :
       {std::pair{"set", &given.set}, std::pair{"remove", &given.removed}, std::pair{"add", &given.added}}) {
    if (names->empty()) continue;
    auto body = ask_json(with, change_groups(given.id, change, *names));
    if (!body) return body.error();
    auto code = finish_envelope(with, *body);
    if (code != exit_code::ok) return code;
  }
  return show_groups(with, given);
}

exit_code import(session& with, const agent_arguments& given) {
  auto bytes = read_whole_file(given.file, import_bytes_max);
  if (!bytes) return complain(with, bytes.error());
  auto body = ask_json(with, import_keys(std::move(*bytes), given.skip_faults));
  if (!body) return body.error();
  const auto data = body->value("data", json::object());
  if (with.options.json)
    with.out << pretty(data);
  else
    with.out << "imported: " << member_text(data, "total_affected_items")
             << ", refused: " << member_text(data, "total_failed_items") << "\n";
  return finish_envelope(with, *body);
}

exit_code export_to(session& with, const agent_arguments& given) {
  auto answer = ask(with, export_keys());
  if (!answer) return answer.error();
  if (given.file.empty()) {
    with.out << answer->body;
    return exit_code::ok;
  }
  auto written = write_private_file(given.file, answer->body);
  if (!written) return complain(with, written.error());
  auto lines = std::count(answer->body.begin(), answer->body.end(), '\n');
  if (with.options.json)
    with.out << pretty({{"file", given.file}, {"lines", lines}});
  else
    with.out << "wrote " << lines << " lines to " << printable(given.file) << "\n";
  return exit_code::ok;
}

using shared_arguments = std::shared_ptr<agent_arguments>;

template <class Action>
CLI::App& add_command(command_table& table, CLI::App& group, const shared_arguments& given, const char* name,
                      const char* description, Action action) {
  return table.add(group, name, description, [&table, given, action] { return action(table.with, *given); });
}

void add_editing(command_table& table, CLI::App& group, const shared_arguments& given) {
  auto& adding = add_command(table, group, given, "add", "Register an agent and show its key", add);
  adding.add_option("NAME", given->name, "Name of the agent")->required();
  adding.add_option("--ip", given->address, "Address that it will come from (default: any)");
  adding.add_option("--group", given->groups, "Group to put it in; may be given several times")
      ->allow_extra_args(false);
  auto& removing =
      add_command(table, group, given, "remove", "Remove agents; their keys stop working at once", remove);
  removing.add_option("ID", given->ids, "Ids, for example 001 002")->required();
  auto& showing = add_command(table, group, given, "key", "Print the key that an agent imports", key);
  showing.add_option("ID", given->id, "Id of the agent")->required();
  auto& grouping =
      add_command(table, group, given, "groups", "Show or change the groups of an agent", groups);
  grouping.add_option("ID", given->id, "Id of the agent")->required();
  auto* set =
      grouping
          .add_option("--set", given->set, "Have exactly these groups, with commas between, in this order")
          ->delimiter(',')
          ->allow_extra_args(false);
  grouping.add_option("--add", given->added, "Put it in these groups")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->excludes(set);
  grouping.add_option("--remove", given->removed, "Take it out of these groups")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->excludes(set);
}

} // namespace

void add_agent_commands(command_table& table) {
  auto given = std::make_shared<agent_arguments>();
  auto& group = table.add_group("agent", "Agents of the registry");
  auto& listing = add_command(table, group, given, "list", "List agents", list);
  listing.add_option("--match", given->filter.match, "Regular expression that the name must hold");
  listing.add_option("--status", given->filter.status, "Only agents in this state")
      ->check(CLI::IsMember({"active", "disconnected", "pending", "never_connected"}));
  listing.add_option("--group", given->filter.group, "Only agents of this group");
  auto& showing = add_command(table, group, given, "show", "Show all that is known of an agent", show);
  showing.add_option("ID", given->id, "Id of the agent")->required();
  add_editing(table, group, given);
  auto& importing =
      add_command(table, group, given, "import", "Take over the agents of a client.keys file", import);
  importing.add_option("FILE", given->file, "The client.keys file")->required()->type_name(file_type);
  importing.add_flag("--skip-faults", given->skip_faults,
                     "Leave lines out that are wrong instead of refusing the file");
  auto& exporting =
      add_command(table, group, given, "export", "Write all agents as a client.keys file", export_to);
  exporting.add_option("FILE", given->file, "File to write, mode 0600 (default: standard output)")
      ->type_name(file_type);
}

} // namespace picket::ctl

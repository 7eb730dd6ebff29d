#include "store/registry/registry_tables.hpp"

#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace picket::store {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view name_file = "current";
constexpr std::string_view load_prefix = "load-";

std::uint64_t load_number(const std::string& name) {
  if (name.compare(0, load_prefix.size(), load_prefix) != 0) return 0;
  std::uint64_t number = 0;
  for (char c : name.substr(load_prefix.size())) {
    if (c < '0' || c > '9' || number > 1'000'000'000'000) return 0;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

/// What `current` names; empty: the directory itself.
std::string read_name(const fs::path& directory) {
  std::string name;
  std::getline(std::ifstream{directory / name_file}, name);
  return load_number(name) != 0 ? name : std::string{};
}

result<void> sync_path(const fs::path& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return fail(errc::io, "cannot open: " + system_text(errno), path.string());
  int rc = ::fsync(fd);
  int why = errno;
  ::close(fd);
  if (rc != 0) return fail(errc::io, "cannot force to the disk: " + system_text(why), path.string());
  return {};
}

/// Written beside, forced to the disk, renamed: a crash leaves the old name or the new one.
result<void> write_name(const fs::path& directory, const std::string& name) {
  auto beside = directory / "current.new";
  {
    std::ofstream out{beside, std::ios::trunc};
    out << name << '\n';
    if (!out.flush()) return fail(errc::io, "cannot write", beside.string());
  }
  if (auto done = sync_path(beside, O_RDONLY); !done) return done;
  std::error_code ec;
  fs::rename(beside, directory / name_file, ec);
  if (ec) return fail(errc::io, "cannot rename: " + ec.message(), beside.string());
  return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

} // namespace

registry_tables::registry_tables(fs::path directory, registry_options options)
    : directory_{std::move(directory)}
    , options_{options} {}

result<std::unique_ptr<registry_tables>> registry_tables::open(const fs::path& directory,
                                                               const registry_options& options) {
  std::unique_ptr<registry_tables> self{new registry_tables{directory, options}};
  auto name = read_name(directory);
  auto opened = registry_environment::open(name.empty() ? directory : directory / name, options);
  if (!opened) return tl::unexpected<error>(opened.error());
  self->current_ = std::move(*opened);
  self->loads_ = load_number(name);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{directory, ignored}) {
    auto found = entry.path().filename().string();
    if (load_number(found) == 0 || found == name) continue;
    fs::remove_all(entry.path(), ignored);
  }
  if (!name.empty()) {
    fs::remove(directory / "data.mdb", ignored);
    fs::remove(directory / "lock.mdb", ignored);
  }
  return self;
}

std::shared_ptr<registry_environment> registry_tables::environment() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return current_;
}

result<registry_tables::snapshot> registry_tables::read() const { return environment()->read(); }

result<void> registry_tables::commit(const registry_batch& batch) {
  auto sequence = batch.head.sequence;
  return apply({{sequence, rows_of(batch)}}, {{}, sequence, sequence});
}

result<void> registry_tables::apply(const std::vector<revision_changes>& changes, const replica_mark& mark) {
  auto done = environment()->apply(changes, mark);
  if (done) generation_.fetch_add(1, std::memory_order_release);
  return done;
}

result<std::shared_ptr<registry_environment>> registry_tables::begin_load() {
  auto options = options_;
  options.fresh_rows = false;
  auto place = directory_ / (std::string{load_prefix} + std::to_string(++loads_));
  std::error_code ignored;
  fs::remove_all(place, ignored);
  auto opened = registry_environment::open(place, options);
  if (opened) (*opened)->discard_at_end(); // until it has become the current one
  return opened;
}

result<void> registry_tables::switch_to(std::shared_ptr<registry_environment> loaded) {
  if (auto done = loaded->flush(); !done) return done;
  if (auto done = write_name(directory_, loaded->directory().filename().string()); !done) return done;
  loaded->keep_at_end();
  std::lock_guard<std::mutex> guard{mutex_};
  current_->discard_at_end();
  current_.swap(loaded);
  generation_.fetch_add(1, std::memory_order_release);
  return {};
}

std::string registry_tables::check_consistency() const {
  auto view = read();
  return view ? view->check_consistency() : to_string(view.error());
}

std::uint64_t registry_tables::used_bytes() const { return environment()->used_bytes(); }

} // namespace picket::store

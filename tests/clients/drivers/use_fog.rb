# Uses a cloud's image service with fog-openstack, and prints what it saw.
#
# Reads a task from standard input, writes facts to standard output, both JSON.

require 'fog/openstack'
require 'json'
require 'stringio'

DATA = '0123456789abcdef' * 100_000

# Nothing says which interface is wanted: fog's own default is "admin".
def connect(login)
  auth = login['auth']
  Fog::OpenStack::Image.new(
    openstack_auth_url: auth['auth_url'],
    openstack_username: auth['username'],
    openstack_api_key: auth['password'],
    openstack_project_id: auth['project_id'],
    openstack_user_domain_id: 'default',
    openstack_region: login['region_name']
  )
end

def error_of
  yield
  nil
rescue StandardError => e
  e.class.name.split('::').last
end

def life(image, facts)
  made = image.images.create(name: 'fog disk', disk_format: 'raw', container_format: 'bare', os_distro: 'debian')
  facts['created'] = [made.status, made.visibility, made.os_distro]
  made.upload_data(StringIO.new(DATA))
  shown = image.images.get(made.id)
  facts['uploaded'] = [shown.status, shown.size, shown.checksum]
  facts['downloaded'] = shown.download_data == DATA
  chunks = []
  shown.download_data(response_block: ->(chunk, _left, _total) { chunks << chunk })
  facts['downloaded in chunks'] = chunks.join == DATA
  shown.name = 'fog renamed'
  shown.os_version = '13'
  shown.os_distro = nil
  shown.update
  changed = image.images.get(made.id)
  facts['updated'] = [changed.name, changed.os_version, changed.respond_to?(:os_distro)]
  changed.add_tags(%w[first second])
  changed.remove_tag('first')
  facts['tags'] = image.images.get(made.id).tags
  facts['listed'] = image.images.all(name: 'fog renamed').map(&:id) == [made.id]
  facts['found'] = image.images.find_by_name('fog renamed').map(&:id) == [made.id]
  changed.deactivate
  facts['deactivated'] = image.images.get(made.id).status
  changed.reactivate
  facts['reactivated'] = image.images.get(made.id).status
  changed.destroy
  facts['deleted'] = image.images.get(made.id)
end

def sharing(image, guest, guest_id, facts)
  made = image.images.create(name: 'fog shared', visibility: 'shared')
  invited = made.add_member(guest_id).body
  facts['invited'] = [invited['status'], invited['member_id'] == guest_id]
  facts['listed before'] = guest.images.all(name: 'fog shared').length
  guest.update_image_member(made.id, 'member_id' => guest_id, 'status' => 'accepted')
  facts['listed after'] = guest.images.all(name: 'fog shared').length
  facts['members'] = made.members.map { |member| member['status'] }
  facts['one member'] = made.member(guest_id)['status']
  made.remove_member(guest_id)
  facts['gone for the guest'] = error_of { guest.get_image_by_id(made.id) }
  made.destroy
end

task = JSON.parse($stdin.read)
users = task['logins'].transform_values { |login| connect(login) }
facts = {}
life(users['member'], facts)
sharing(users['member'], users['other'], task['guest_id'], facts)
puts JSON.generate(facts)

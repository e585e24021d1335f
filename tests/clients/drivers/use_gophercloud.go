// Uses a cloud's image service with gophercloud, and prints what it saw.
//
// Reads a task from standard input, writes facts to standard output, both JSON.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/imagedata"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/imageimport"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/members"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/tasks"
	"github.com/gophercloud/gophercloud/pagination"
)

type login struct {
	Auth struct {
		AuthURL   string `json:"auth_url"`
		Username  string `json:"username"`
		Password  string `json:"password"`
		ProjectID string `json:"project_id"`
	} `json:"auth"`
	RegionName string `json:"region_name"`
}

type task struct {
	Logins  map[string]login `json:"logins"`
	GuestID string           `json:"guest_id"`
	URI     string           `json:"uri"`
}

var data = bytes.Repeat([]byte("0123456789abcdef"), 100000)

func check(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

// connect logs in and finds the image service by one of the catalog's interfaces.
func connect(with login, interface_ gophercloud.Availability) *gophercloud.ServiceClient {
	provider, err := openstack.AuthenticatedClient(gophercloud.AuthOptions{
		IdentityEndpoint: with.Auth.AuthURL,
		Username:         with.Auth.Username,
		Password:         with.Auth.Password,
		TenantID:         with.Auth.ProjectID,
		DomainID:         "default",
	})
	check(err)
	where := gophercloud.EndpointOpts{Region: with.RegionName, Availability: interface_}
	client, err := openstack.NewImageServiceV2(provider, where)
	check(err)
	return client
}

func listed(client *gophercloud.ServiceClient, opts images.ListOpts) []string {
	names := []string{}
	check(images.List(client, opts).EachPage(func(page pagination.Page) (bool, error) {
		found, err := images.ExtractImages(page)
		for _, image := range found {
			names = append(names, image.Name)
		}
		return true, err
	}))
	return names
}

// lifeOfAnImage makes an image, gives it data, reads, changes and deletes it.
func lifeOfAnImage(client *gophercloud.ServiceClient, facts map[string]interface{}) {
	made, err := images.Create(client, images.CreateOpts{
		Name: "go disk", DiskFormat: "raw", ContainerFormat: "bare", MinDisk: 1, Tags: []string{"go"},
		Properties: map[string]string{"os_distro": "debian"},
	}).Extract()
	check(err)
	facts["created"] = []interface{}{made.Status, made.Visibility, made.Tags, made.Properties["os_distro"]}

	check(imagedata.Upload(client, made.ID, bytes.NewReader(data)).ExtractErr())
	shown, err := images.Get(client, made.ID).Extract()
	check(err)
	facts["uploaded"] = []interface{}{shown.Status, shown.SizeBytes, shown.Checksum}

	body, err := imagedata.Download(client, made.ID).Extract()
	check(err)
	got, err := io.ReadAll(body)
	check(err)
	check(body.Close())
	facts["downloaded"] = bytes.Equal(got, data)

	changed, err := images.Update(client, made.ID, images.UpdateOpts{
		images.ReplaceImageName{NewName: "go renamed"},
		images.ReplaceImageTags{NewTags: []string{"new"}},
		images.ReplaceImageMinRam{NewMinRam: 64},
		images.UpdateVisibility{Visibility: images.ImageVisibilityPrivate},
		images.UpdateImageProperty{Op: images.AddOp, Name: "os_version", Value: "13"},
		images.UpdateImageProperty{Op: images.RemoveOp, Name: "os_distro"},
	}).Extract()
	check(err)
	_, kept := changed.Properties["os_distro"]
	facts["updated"] = []interface{}{
		changed.Name, changed.Tags, changed.MinRAMMegabytes, changed.Visibility, changed.Properties["os_version"], kept,
	}
	facts["found by tag"] = listed(client, images.ListOpts{Tags: []string{"new"}})

	check(images.Delete(client, made.ID).ExtractErr())
	_, err = images.Get(client, made.ID).Extract()
	_, facts["deleted"] = err.(gophercloud.ErrDefault404)
}

// pages lists more images than come in one page.
func pages(client *gophercloud.ServiceClient, facts map[string]interface{}) {
	ids := []string{}
	for number := 0; number < 5; number++ {
		name := fmt.Sprintf("go page %d", number)
		made, err := images.Create(client, images.CreateOpts{Name: name, Tags: []string{"go-page"}}).Extract()
		check(err)
		ids = append(ids, made.ID)
	}
	facts["pages"] = listed(client, images.ListOpts{Tags: []string{"go-page"}, Limit: 2, Sort: "name:asc"})
	for _, id := range ids {
		check(images.Delete(client, id).ExtractErr())
	}
}

// sharing offers an image to another project, which takes it.
func sharing(client, guest *gophercloud.ServiceClient, guestID string, facts map[string]interface{}) {
	shared := images.ImageVisibilityShared
	made, err := images.Create(client, images.CreateOpts{Name: "go shared", Visibility: &shared}).Extract()
	check(err)
	invited, err := members.Create(client, made.ID, guestID).Extract()
	check(err)
	facts["invited"] = []interface{}{invited.Status, invited.MemberID == guestID, invited.ImageID == made.ID}
	facts["listed before"] = listed(guest, images.ListOpts{Name: "go shared"})
	accepted, err := members.Update(guest, made.ID, guestID, members.UpdateOpts{Status: "accepted"}).Extract()
	check(err)
	facts["accepted"] = accepted.Status
	facts["listed after"] = listed(guest, images.ListOpts{Name: "go shared"})
	one, err := members.Get(client, made.ID, guestID).Extract()
	check(err)
	facts["one member"] = one.Status
	all, err := members.List(client, made.ID).AllPages()
	check(err)
	found, err := members.ExtractMembers(all)
	check(err)
	facts["members"] = len(found)
	check(members.Delete(client, made.ID, guestID).ExtractErr())
	_, err = images.Get(guest, made.ID).Extract()
	_, facts["gone for the guest"] = err.(gophercloud.ErrDefault404)
	check(images.Delete(client, made.ID).ExtractErr())
}

// imports stages data and fetches some from an address; returns when both images are active.
func imports(client *gophercloud.ServiceClient, uri string, facts map[string]interface{}) {
	info, err := imageimport.Get(client).Extract()
	check(err)
	facts["methods"] = info.ImportMethods.Value
	for _, method := range []imageimport.ImportMethod{imageimport.GlanceDirectMethod, imageimport.WebDownloadMethod} {
		made, err := images.Create(client, images.CreateOpts{
			Name: "go import", DiskFormat: "raw", ContainerFormat: "bare",
		}).Extract()
		check(err)
		from := imageimport.CreateOpts{Name: method}
		if method == imageimport.WebDownloadMethod {
			from.URI = uri
		} else {
			check(imagedata.Stage(client, made.ID, bytes.NewReader(data)).ExtractErr())
		}
		check(imageimport.Create(client, made.ID, from).ExtractErr())
		shown := untilSettled(client, made.ID)
		facts[string(method)] = []interface{}{shown.Status, shown.SizeBytes}
		check(images.Delete(client, made.ID).ExtractErr())
	}
}

func untilSettled(client *gophercloud.ServiceClient, id string) *images.Image {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		shown, err := images.Get(client, id).Extract()
		check(err)
		if shown.Status == images.ImageStatusActive {
			return shown
		}
	}
	log.Fatalf("image %s did not become active within a minute", id)
	return nil
}

// importTasks shows what an administrator sees of the import of an image, and that a member may not list tasks.
func importTasks(client, admin *gophercloud.ServiceClient, uri string, facts map[string]interface{}) {
	input := map[string]interface{}{
		"import_from": uri, "import_from_format": "raw",
		"image_properties": map[string]string{"name": "go task", "disk_format": "raw", "container_format": "bare"},
	}
	made, err := tasks.Create(admin, tasks.CreateOpts{Type: "import", Input: input}).Extract()
	check(err)
	for deadline := time.Now().Add(time.Minute); made.Status == "pending" || made.Status == "processing"; {
		if time.Now().After(deadline) {
			log.Fatalf("task %s was not over within a minute", made.ID)
		}
		time.Sleep(50 * time.Millisecond)
		made, err = tasks.Get(admin, made.ID).Extract()
		check(err)
	}
	facts["task"] = []interface{}{made.Status, made.Type, made.Input["import_from"] == uri}
	all, err := tasks.List(admin, tasks.ListOpts{Limit: 1, Type: "import"}).AllPages()
	check(err)
	found, err := tasks.ExtractTasks(all)
	check(err)
	listed := false
	for _, each := range found {
		listed = listed || each.ID == made.ID
	}
	facts["task listed"] = listed
	_, err = tasks.List(client, tasks.ListOpts{}).AllPages()
	_, facts["tasks refused to a member"] = err.(gophercloud.ErrDefault403)
	if id, ok := made.Result["image_id"].(string); ok {
		check(images.Delete(admin, id).ExtractErr())
	}
}

func main() {
	log.SetFlags(log.Lshortfile)
	var given task
	check(json.NewDecoder(os.Stdin).Decode(&given))
	facts := map[string]interface{}{}
	client := connect(given.Logins["member"], gophercloud.AvailabilityPublic)
	guest := connect(given.Logins["other"], gophercloud.AvailabilityInternal)
	admin := connect(given.Logins["admin"], gophercloud.AvailabilityAdmin)
	lifeOfAnImage(client, facts)
	pages(client, facts)
	sharing(client, guest, given.GuestID, facts)
	imports(client, given.URI, facts)
	importTasks(client, admin, given.URI, facts)
	check(json.NewEncoder(os.Stdout).Encode(facts))
}

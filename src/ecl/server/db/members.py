"""Queries on the members of an image."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from ecl.server.clock import now
from ecl.server.db.schema import image_members
from ecl.server.domain.member import Member

__all__ = [
    "count_members",
    "fetch_member",
    "insert_member",
    "is_member",
    "list_members",
    "remove_member",
    "set_member_status",
]

_COLUMNS = tuple(column for column in image_members.c if column.name != "region")


def fetch_member(connection: Connection, region: str, image_id: str, member_id: str) -> Member | None:
    """Return one member of the image, or None."""
    table = image_members.c
    query = select(*_COLUMNS).where(table.region == region, table.image_id == image_id, table.member_id == member_id)
    row = connection.execute(query).first()
    return Member(*row) if row else None


def is_member(connection: Connection, region: str, image_id: str, project_id: str) -> bool:
    """Return True if the project is a member of the image, whatever its status."""
    return fetch_member(connection, region, image_id, project_id) is not None


def list_members(connection: Connection, region: str, image_id: str) -> list[Member]:
    """Return every member of the image, the oldest first."""
    table = image_members.c
    query = (
        select(*_COLUMNS)
        .where(table.region == region, table.image_id == image_id)
        .order_by(table.created_at, table.member_id)
    )
    return [Member(*row) for row in connection.execute(query)]


def count_members(connection: Connection, region: str, image_id: str) -> int:
    """Return how many members the image has."""
    table = image_members.c
    query = select(func.count()).where(table.region == region, table.image_id == image_id)
    return connection.execute(query).scalar_one()


def insert_member(connection: Connection, region: str, image_id: str, member_id: str) -> Member:
    """Add a project as a member of the image, with status pending."""
    moment = now()
    member = Member(image_id, member_id, "pending", moment, moment)
    connection.execute(
        insert(image_members).values(
            region=region,
            image_id=image_id,
            member_id=member_id,
            status=member.status,
            created_at=moment,
            updated_at=moment,
        )
    )
    return member


def set_member_status(connection: Connection, region: str, member: Member, status: str) -> None:
    """Set the status of *member*, in the database and in the object."""
    member.status, member.updated_at = status, now()
    table = image_members.c
    connection.execute(
        update(image_members)
        .where(table.region == region, table.image_id == member.image_id, table.member_id == member.member_id)
        .values(status=status, updated_at=member.updated_at)
    )


def remove_member(connection: Connection, region: str, image_id: str, member_id: str) -> None:
    """Remove the member."""
    table = image_members.c
    connection.execute(
        delete(image_members).where(table.region == region, table.image_id == image_id, table.member_id == member_id)
    )

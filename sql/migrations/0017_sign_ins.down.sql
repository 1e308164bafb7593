-- Ends all sign-ins, and forgets the links: whoever has one sees nothing any more.
-- loses: share_links
drop table share_links;
drop table sign_ins;
